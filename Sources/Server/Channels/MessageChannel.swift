// SPDX-License-Identifier: Apache-2.0
public import Core
public import HTTPTypes
public import JSONCodec

/// A messenger: reads what it sends, and words what is answered.
///
/// It proves each request by itself, keeps nothing and sends nothing: what it words, others send.
public protocol MessageChannel: Sendable {
  /// In paths and in the names of users and sessions: `whatsapp`.
  var name: String { get }
  /// How long the messenger's request may wait for the answer; from then on it goes out by ``sending(_:to:)``.
  var lateAnswer: Duration { get }
  /// Characters of one text, counted as UTF-16 does.
  var textMax: Int { get }
  /// The type of its requests' bodies, and what the OpenAPI document calls their schema.
  var body: (type: String, schema: String) { get }
  /// The type of the replies to them.
  var replyType: String { get }

  /// Reads a request.
  ///
  /// - Parameter agent: To whom it goes.
  /// - Returns: `nil` for one that wants no answer.
  /// - Throws: ``ChannelRefusal``.
  func read(_ webhook: Webhook, to agent: String) throws(ChannelRefusal) -> ChannelMessage?
  /// The reply to a request that says these texts, or nothing.
  ///
  /// - Returns: `nil` when it cannot say so many; it always can say none.
  func reply(_ texts: [String], to address: JSONObject) -> [UInt8]?
  /// The request that sends one text.
  func sending(_ text: String, to address: JSONObject) -> ChannelRequest
}

/// A request of a messenger, as its signature covers it.
public struct Webhook: Sendable {
  /// By which the messenger knows it, with its query.
  public var url: String
  public var headers: HTTPFields
  public var body: [UInt8]

  public init(url: String, headers: HTTPFields, body: [UInt8]) {
    self.url = url
    self.headers = headers
    self.body = body
  }
}

/// Why a request is not read.
public enum ChannelRefusal: Error, Sendable, Hashable {
  /// It is not the messenger's own; says what should have been, without its value.
  case forged(String)
  case invalid(String)
}

/// A POST to a messenger's API. It may hold secrets, its address too.
public struct ChannelRequest: Sendable {
  public var url: String
  public var headers: [(name: String, value: String)]
  public var body: [UInt8]

  public init(url: String, headers: [(name: String, value: String)], body: [UInt8]) {
    self.url = url
    self.headers = headers
    self.body = body
  }
}
