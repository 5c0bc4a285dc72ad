// SPDX-License-Identifier: Apache-2.0
public import Core
import Crypto
import HTTPTypes
public import JSONCodec

/// A bot of Telegram's.
///
/// Source: core.telegram.org/bots/api, "Getting updates" and "Making requests when getting updates".
public final class TelegramChannel: MessageChannel {
  // A class, because a structure that is printed, such as a service in the log, prints all that is in it.
  private let token: String
  private let secret: String
  private let apiURL: String
  public let lateAnswer: Duration

  public let name = "telegram"
  public let textMax = 4096
  public let body = (type: "application/json", schema: "TelegramUpdate")
  public let replyType = "application/json"

  /// - Parameter secret: The `secret_token` that the webhook was set with.
  public init(token: String, secret: String, lateAnswer: Duration, apiURL: String) {
    self.token = token
    self.secret = secret
    self.lateAnswer = lateAnswer
    self.apiURL = apiURL
  }

  public func read(_ webhook: Webhook, to agent: String) throws(ChannelRefusal) -> ChannelMessage? {
    // Digests are compared, which tell nothing of how much was right.
    let shown = SHA256.hash(data: Array((webhook.headers[.telegramSecret] ?? "").utf8))
    guard shown == SHA256.hash(data: Array(secret.utf8)) else {
      throw .forged("the secret token is none of this bot's")
    }
    let update: JSON
    do {
      update = try JSON(parsing: webhook.body)
    } catch {
      throw .invalid("the body is not JSON: \(error)")
    }
    guard let id = update["update_id"]?.integer else { throw .invalid("update_id is missing") }
    // Edits, members and polls come too, and want no answer.
    guard let message = update["message"] else { return nil }
    // Who writes in the name of a chat has the number of nobody: all who do share it.
    guard let chat = message["chat"]?["id"]?.integer,
      let person = message["sender_chat"]?["id"]?.integer ?? message["from"]?["id"]?.integer
    else { return nil }
    var input = JSONObject([("channel", .string(name)), ("chat_id", .integer(chat))])
    if let profile = message["from"]?["first_name"]?.string {
      input.append("profile_name", .string(profile))
    }
    let parts = Self.parts(message)
    if !parts.isEmpty { input.append("parts", .array(parts)) }
    let text = message["text"]?.string ?? message["caption"]?.string ?? ""
    // Somebody came, or a sticker.
    if text.isEmpty, parts.isEmpty { return nil }
    return ChannelMessage(
      key: .init(channel: name, id: String(id)), userID: "telegram:\(person)", sessionID: "telegram:\(chat)",
      agent: agent, text: text, input: input,
      address: JSONObject([("chat_id", .integer(chat))]))
  }

  /// Files come as names, by which the bot's API hands them out.
  private static func parts(_ message: JSON) -> [JSON] {
    let kinds = [
      ("photo", "image/jpeg"), ("document", ""), ("voice", "audio/ogg"), ("audio", "audio/mpeg"),
      ("video", "video/mp4"),
    ]
    return kinds.compactMap { kind, usualType in
      // A photo comes in several sizes, the largest last.
      guard let file = message[kind]?.array?.last ?? message[kind], let id = file["file_id"]?.string else {
        return nil
      }
      let type = file["mime_type"]?.string ?? usualType
      let name = file["file_name"]?.string ?? kind + MediaPart.ending(of: type)
      return MediaPart(name: name, type: type, location: ("file_id", id)).json
    }
  }

  public func reply(_ texts: [String], to address: JSONObject) -> [UInt8]? {
    guard let text = texts.first else { return RawJSON.emptyObject.bytes }
    // One call to a reply: a second text could only come before the first.
    guard texts.count == 1 else { return nil }
    var call = JSONObject([("method", "sendMessage")])
    for member in message(text, to: address).members { call.append(member.key, member.value) }
    return RawJSON(.object(call)).bytes
  }

  public func sending(_ text: String, to address: JSONObject) -> ChannelRequest {
    ChannelRequest(
      url: "\(apiURL)/bot\(token)/sendMessage", headers: [("Content-Type", "application/json")],
      body: RawJSON(.object(message(text, to: address))).bytes)
  }

  private func message(_ text: String, to address: JSONObject) -> JSONObject {
    JSONObject([("chat_id", address["chat_id"] ?? .null), ("text", .string(text))])
  }
}

extension HTTPField.Name {
  fileprivate static let telegramSecret = known("X-Telegram-Bot-Api-Secret-Token")
}
