// SPDX-License-Identifier: Apache-2.0

/// An image in a message, which a model that sees gets to look at.
public struct ModelImage: Sendable, Hashable {
  /// How closely a model looks, and so what it costs.
  public enum Detail: String, Sendable, CaseIterable {
    case auto, low, high
  }

  /// An `https:` address that the provider fetches, or a `data:` address that holds the image in base64.
  public let url: String
  public let detail: Detail

  /// Of one message.
  public static let countMax = 20
  /// Of one `data:` address.
  public static let bytesMax = 20 << 20
  /// Of text that costs about as much, 765 tokens. Source: OpenAI's guide on images, a square of 1024 pixels.
  static let estimatedBytes = 765 * 4

  public init(url: String, detail: Detail = .auto) {
    self.url = url
    self.detail = detail
  }

  /// The type and the base64 of a `data:` address; `nil` = it is an address to be fetched.
  public var content: (type: String, base64: String)? {
    guard url.hasPrefix("data:"), let comma = url.firstIndex(of: ",") else { return nil }
    let type = url[url.index(url.startIndex, offsetBy: 5)..<comma].prefix { $0 != ";" }
    return (String(type), String(url[url.index(after: comma)...]))
  }

  /// Why an address cannot be one of an image; `nil` = it can.
  public static func fault(of url: String) -> String? {
    if url.hasPrefix("https://") { return url.utf8.count > 8192 ? "is too long" : nil }
    guard url.hasPrefix("data:image/"), url.prefix(64).contains(";base64,") else {
      return "must be an https:// address, or a data:image/…;base64,… one"
    }
    return url.utf8.count > bytesMax ? "is larger than \(bytesMax >> 20) MB" : nil
  }
}
