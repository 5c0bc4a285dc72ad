// SPDX-License-Identifier: Apache-2.0

// Rules across the keys of one provider.
extension Configuration {
  mutating func checkProviders(_ reading: inout Reading) {
    for (name, provider) in providers.sorted(by: { $0.key < $1.key }) {
      let path = "providers.\(name)"
      if reading.sources["\(path).base_url"] == nil {
        if let address = provider.dialect.baseURL {
          providers[name]?.baseURL = address
        } else {
          reading.refuse(
            reading.places[path] ?? .default, "\(path) has no base_url",
            hint: "Azure serves each customer at https://NAME.openai.azure.com/openai")
        }
      } else if provider.dialect == .azure, provider.apiVersion == nil,
        !provider.baseURL.hasSuffix("/openai/v1")
      {
        reading.refuse(
          reading.sources["\(path).base_url"] ?? .default, "\(path) has no api_version",
          hint: "write one, or a base_url that ends with /openai/v1")
      }
      Self.checkHeaders(of: provider, path, &reading)
    }
  }

  private static func checkHeaders(of provider: Provider, _ path: String, _ reading: inout Reading) {
    let place = reading.sources["\(path).headers"] ?? .default
    for header in provider.headers.keys.sorted() {
      if secretHeaders.contains(header.lowercased()) {
        reading.refuse(
          place, "\(path).headers: \(header) is a secret, which is never written in the file",
          hint: "name a variable for it in \(path).headers_env")
      }
      if provider.headersEnv.keys.contains(where: { $0.lowercased() == header.lowercased() }) {
        reading.refuse(place, "\(path): \(header) stands in headers and in headers_env", hint: "keep one")
      }
    }
  }

  private static let secretHeaders: Set<String> = [
    "authorization", "proxy-authorization", "api-key", "x-api-key", "cookie",
  ]
}
