// SPDX-License-Identifier: Apache-2.0
import CCurl

extension HTTPClient {
  /// Of libcurl and the libraries that it stands on: `libcurl/8.14.1 OpenSSL/3.5.1 …`.
  public static var libraryVersion: String { curl_version().map { String(cString: $0) } ?? "libcurl" }
}
