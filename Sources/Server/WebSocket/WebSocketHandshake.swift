// SPDX-License-Identifier: Apache-2.0
import Crypto
import FoundationEssentials
import HTTPTypes
import Hummingbird
import HummingbirdCore

/// A request to speak WebSocket, checked.
///
/// Source: RFC 6455, 4.2.
struct WebSocketHandshake: Sendable {
  /// Of the answer 101.
  let headers: HTTPFields

  /// - Throws: ``Problem``: 426 for a request that asks for no WebSocket or an old one, 400 for a broken one.
  init(_ request: Request) throws(Problem) {
    guard request.headers.has("websocket", in: .upgrade), request.headers.has("upgrade", in: .connection),
      request.headers[.secWebSocketVersion] == "13"
    else { throw Problem.upgradeRequired }
    guard let key = request.headers[.secWebSocketKey], Data(base64Encoded: key)?.count == 16 else {
      throw Problem.invalid([.init(field: "Sec-WebSocket-Key", message: "must be 16 bytes in base64")])
    }
    var fields = HTTPFields()
    fields[.upgrade] = "websocket"
    fields[.connection] = "Upgrade"
    fields[.secWebSocketAccept] = Self.accept(key)
    headers = fields
  }

  private static func accept(_ key: String) -> String {
    let text = key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
    return Data(Insecure.SHA1.hash(data: Data(text.utf8))).base64EncodedString()
  }
}

extension HTTPFields {
  /// Whether a comma-separated field has this word.
  fileprivate func has(_ word: String, in name: HTTPField.Name) -> Bool {
    self[values: name].contains { value in
      value.split(separator: ",").contains { part in
        part.filter { $0 != " " && $0 != "\t" }.lowercased() == word
      }
    }
  }
}

extension Problem {
  static let upgradeRequired = Problem(
    status: .upgradeRequired, code: "upgrade_required", detail: "this is a WebSocket, version 13",
    headers: [.upgrade: "websocket", .connection: "Upgrade", .secWebSocketVersion: "13"])
}
