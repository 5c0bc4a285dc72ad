// SPDX-License-Identifier: Apache-2.0
import Core
import Crypto
import FoundationEssentials
import HTTPTypes

extension Services {
  var pageRoutes: [Route] {
    [
      Route(
        .get, "/", name: "home", summary: "Shows a page to talk with the agents.", access: .open,
        answers: [.init(.ok, "A page for a browser, without anything from elsewhere.", .text("text/html"))]
      ) { _ in .page },
      Route(
        .get, "/docs", name: "docs",
        summary: "Shows a page that tells people what /openapi.json tells programs.",
        access: .open,
        answers: [.init(.ok, "A page for a browser, without anything from elsewhere.", .text("text/html"))]
      ) { _ in .docs },
    ]
  }
}

extension Reply {
  /// The development page.
  fileprivate static let page = page(PackageResources.page_html)
  /// The API's description for people.
  fileprivate static let docs = page(PackageResources.docs_html)

  /// A page in which only the style and the script that stand in it may work.
  private static func page(_ bytes: [UInt8]) -> Reply {
    let text = String(decoding: bytes, as: UTF8.self)
    var reply = Reply(contentType: "text/html; charset=utf-8", bytes: bytes)
    reply.headers = [.contentSecurityPolicy: policy(text), .cacheControl: "no-cache"]
    reply.headers[.referrerPolicy] = "no-referrer"
    return reply
  }

  /// Source: CSP Level 3, 6.7.3.3 (hashes of inline elements).
  private static func policy(_ page: String) -> String {
    """
    default-src 'none'; script-src \(hash(of: "script", in: page)); style-src \(hash(of: "style", in: page)); \
    connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'
    """
  }

  private static func hash(of element: String, in page: String) -> String {
    guard let start = page.firstRange(of: "<\(element)>"),
      let end = page[start.upperBound...].firstRange(of: "</\(element)>")
    else { return "'none'" }
    let digest = SHA256.hash(data: Array(page[start.upperBound..<end.lowerBound].utf8))
    return "'sha256-\(Data(digest).base64EncodedString())'"
  }
}
