// SPDX-License-Identifier: Apache-2.0
public import Core
import Crypto
import FoundationEssentials
import HTTPTypes
public import JSONCodec

/// WhatsApp by way of Twilio.
///
/// Source: twilio.com/docs/messaging/guides/webhook-request, twilio.com/docs/messaging/twiml.
public final class WhatsAppChannel: MessageChannel {
  // A class, because a structure that is printed, such as a service in the log, prints all that is in it.
  private let authToken: String
  private let accountSID: String?
  private let number: String?
  private let apiURL: String
  public let lateAnswer: Duration

  public let name = "whatsapp"
  /// Source: twilio.com/docs/api/errors/21617.
  public let textMax = 1600
  public let body = (type: "application/x-www-form-urlencoded", schema: "WhatsAppMessage")
  public let replyType = "text/xml"

  /// - Parameters:
  ///   - accountSID: `nil` = that of the message, which its signature vouches for.
  ///   - number: From which late answers come; `nil` = the one that was written to.
  public init(
    authToken: String, accountSID: String?, number: String?, lateAnswer: Duration, apiURL: String
  ) {
    self.authToken = authToken
    self.accountSID = accountSID
    self.number = number
    self.lateAnswer = lateAnswer
    self.apiURL = apiURL
  }

  public func read(_ webhook: Webhook, to agent: String) throws(ChannelRefusal) -> ChannelMessage? {
    let fields = Query.parse(String(decoding: webhook.body, as: UTF8.self))
    guard TwilioSignature(token: authToken).holds(for: webhook, fields) else {
      throw .forged("the signature is none of Twilio's for this address, these fields and this account")
    }
    func field(_ name: String) -> String? {
      fields.last { $0.name == name }.map(\.value).flatMap { $0.isEmpty ? nil : $0 }
    }
    guard let id = field("MessageSid"), id.isName else { throw .invalid("MessageSid is missing") }
    guard let from = field("From"), from.hasPrefix("whatsapp:"), from.isName else {
      throw .invalid("From is no address of WhatsApp's")
    }
    guard let to = field("To"), let account = accountSID ?? field("AccountSid") else {
      throw .invalid("To or AccountSid is missing")
    }
    let person = String(from.dropFirst("whatsapp:".count))
    var input = JSONObject([("channel", .string(name))])
    if person.hasPrefix("+") { input.append("phone_number", .string(person)) }
    if let profile = field("ProfileName") { input.append("profile_name", .string(profile)) }
    let parts = Self.parts(field)
    if !parts.isEmpty { input.append("parts", .array(parts)) }
    return ChannelMessage(
      key: .init(channel: name, id: id), userID: from, sessionID: "whatsapp:\(person.filter { $0 != "+" })",
      agent: agent, text: field("Body") ?? "", input: input,
      address: JSONObject([
        ("account", .string(account)), ("from", .string(number.map { "whatsapp:\($0)" } ?? to)),
        ("to", .string(from)),
      ]))
  }

  /// Twilio sends up to 10.
  private static func parts(_ field: (String) -> String?) -> [JSON] {
    let count = min(field("NumMedia").flatMap { Int($0) } ?? 0, 10)
    return (0..<max(count, 0)).compactMap { index in
      guard let url = field("MediaUrl\(index)") else { return nil }
      let type = field("MediaContentType\(index)") ?? ""
      let base = url.split(separator: "/").last.map(String.init) ?? ""
      return MediaPart(name: base + MediaPart.ending(of: type), type: type, location: ("url", url)).json
    }
  }

  public func reply(_ texts: [String], to address: JSONObject) -> [UInt8]? {
    let messages = texts.map { "<Message>\($0.xmlEscaped)</Message>" }.joined()
    let response = messages.isEmpty ? "<Response/>" : "<Response>\(messages)</Response>"
    return Array("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\(response)".utf8)
  }

  public func sending(_ text: String, to address: JSONObject) -> ChannelRequest {
    let account = address["account"]?.string ?? ""
    let fields = [
      ("From", address["from"]?.string ?? ""), ("To", address["to"]?.string ?? ""), ("Body", text),
    ]
    return ChannelRequest(
      url: "\(apiURL)/2010-04-01/Accounts/\(account.formEncoded)/Messages.json",
      headers: [
        ("Content-Type", "application/x-www-form-urlencoded"),
        ("Authorization", "Basic " + Data("\(account):\(authToken)".utf8).base64EncodedString()),
      ],
      body: Array(fields.map { "\($0)=\($1.formEncoded)" }.joined(separator: "&").utf8))
  }
}

/// Twilio's proof that a request is its own: an HMAC-SHA1 of the address and the fields by the account's token.
///
/// Source: twilio.com/docs/usage/webhooks/webhooks-security.
struct TwilioSignature {
  let token: String

  func holds(for webhook: Webhook, _ fields: [(name: String, value: String)]) -> Bool {
    guard let sent = webhook.headers[.twilioSignature].flatMap({ Data(base64Encoded: $0) }) else {
      return false
    }
    let key = SymmetricKey(data: Data(token.utf8))
    let text = Self.text(of: fields)
    return Self.spellings(of: webhook.url).contains { url in
      HMAC<Insecure.SHA1>.isValidAuthenticationCode(
        sent, authenticating: Array((url + text).utf8), using: key)
    }
  }

  /// All names in order, each with its values in order and each of these once, and nothing between them.
  private static func text(of fields: [(name: String, value: String)]) -> String {
    let values = Dictionary(grouping: fields, by: \.name).mapValues { Set($0.map(\.value)) }
    return values.sorted { $0.key.isBefore($1.key) }.map { name, values in
      values.sorted { $0.isBefore($1) }.map { name + $0 }.joined()
    }.joined()
  }

  /// The address with the port that its scheme has anyhow, and without one: Twilio signs either.
  private static func spellings(of url: String) -> [String] {
    guard let scheme = url.firstRange(of: "://") else { return [url] }
    let rest = url[scheme.upperBound...]
    let end = rest.firstIndex { "/?".contains($0) } ?? rest.endIndex
    let port = url.hasPrefix("https:") ? "443" : "80"
    guard let colon = rest[..<end].lastIndex(of: ":"), rest[..<end].last != "]" else {
      return [url, "\(url[..<end]):\(port)\(url[end...])"]
    }
    return [url, String(url[..<colon] + url[end...])]
  }
}

extension String {
  /// By bytes, as Twilio sorts.
  fileprivate func isBefore(_ other: String) -> Bool { utf8.lexicographicallyPrecedes(other.utf8) }

  /// Whether it can stand in a name of ours: what Twilio's names and addresses are made of.
  fileprivate var isName: Bool {
    (1...96).contains(utf8.count)
      && utf8.allSatisfy { byte in
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"): true
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: ":"), UInt8(ascii: "+"): true
        case UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "-"): true
        default: false
        }
      }
  }

  /// Without what XML has no way to say. Source: w3.org/TR/xml, 2.2.
  fileprivate var xmlEscaped: String {
    var text = ""
    for scalar in unicodeScalars {
      switch scalar {
      case "&": text += "&amp;"
      case "<": text += "&lt;"
      case ">": text += "&gt;"
      case "\t", "\n": text.unicodeScalars.append(scalar)
      // Read as a line break, were it not written so.
      case "\r": text += "&#13;"
      case "\u{0}"..."\u{1F}", "\u{FFFE}"..."\u{FFFF}": break
      default: text.unicodeScalars.append(scalar)
      }
    }
    return text
  }

  /// Source: url.spec.whatwg.org, 1.3, but with %20 for a space.
  fileprivate var formEncoded: String {
    var text = ""
    for byte in utf8 {
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "-"):
        text.unicodeScalars.append(UnicodeScalar(byte))
      default:
        text += "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true)
      }
    }
    return text
  }
}

extension HTTPField.Name {
  fileprivate static let twilioSignature = known("X-Twilio-Signature")
}
