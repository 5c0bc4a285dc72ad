// SPDX-License-Identifier: Apache-2.0
import Core
import Crypto
import FoundationEssentials
import HTTPTypes

extension Services {
  var pageRoutes: [Route] {
    [
      page("/", "home", "Shows a page to talk with the agents.", .chat),
      page("/console", "console", "Shows operators what the server does, and lets them act.", .console),
      page("/admin", "admin", "Shows the page at /console.", .console),
      page("/docs", "docs", "Shows a page that tells people what /openapi.json tells programs.", .docs),
    ]
  }

  private func page(_ path: String, _ name: String, _ summary: String, _ page: Reply) -> Route {
    Route(
      .get, path, name: name, summary: summary, access: .open,
      answers: [.init(.ok, "A page for a browser, without anything from elsewhere.", .text("text/html"))]
    ) { _ in page }
  }
}

extension Reply {
  fileprivate static let chat = page(PackageResources.page_html)
  fileprivate static let console = page(PackageResources.console_html)
  /// The API's description for people.
  fileprivate static let docs = page(PackageResources.docs_html)

  /// A page in which only the style and the script that stand in it may work: what all pages have, and its own.
  private static func page(_ bytes: [UInt8]) -> Reply {
    let text = String(decoding: bytes, as: UTF8.self)
      .replacing("<style>", with: "<style>\n" + shared(PackageResources.pages_css), maxReplacements: 1)
      .replacing("<script>", with: "<script>\n" + shared(PackageResources.pages_js), maxReplacements: 1)
    var reply = Reply(contentType: "text/html; charset=utf-8", bytes: Array(text.utf8))
    reply.headers = [.contentSecurityPolicy: policy(text), .cacheControl: "no-cache"]
    reply.headers[.referrerPolicy] = "no-referrer"
    return reply
  }

  private static func shared(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }

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
