// SPDX-License-Identifier: Apache-2.0

/// An address under which an agent answers in the shape of another system.
public struct Alias: Sendable, Hashable {
  /// Whose requests and answers it speaks.
  public enum Shape: String, Sendable, Hashable {
    /// `{message, conversation_id}` to a path with the user in it.
    case todo
    /// `{user_id, message, context}`, one conversation for each user and agent.
    case agents
    /// Sessions, messages and a WebSocket below one path.
    case webchat
    /// A messenger's webhook.
    case whatsapp, telegram
  }

  /// `/api/{user_id}/chat`; of ``Shape/webchat`` the path of one of its operations, or what they have in common.
  public let path: String
  /// `nil` = the one that `{agent}` in the path names.
  public let agent: String?
  public let shape: Shape
  /// Characters that a message may have; `nil` = as many as any.
  public let messageCharactersMax: Int?

  /// - Throws: ``ServerError`` `alias` for a path that cannot be one.
  public init(path: String, agent: String?, shape: Shape, messageCharactersMax: Int? = nil)
    throws(ServerError)
  {
    self.path = path
    self.agent = agent
    self.shape = shape
    self.messageCharactersMax = messageCharactersMax
    if let fault { throw ServerError(.alias, fault, hint: "such as /api/{user_id}/chat") }
  }
}

extension Alias.Shape {
  /// The name of the messenger that it is.
  var channel: String? {
    switch self {
    case .todo, .agents, .webchat: nil
    case .whatsapp, .telegram: rawValue
    }
  }
}

extension Alias {
  /// Names that a path may have a place for.
  private static let names: Set = ["user_id", "agent"]

  /// Names of the path's parameters, in their order.
  var parameters: [String] {
    path.split(separator: "/").filter { $0.hasPrefix("{") }.map { String($0.dropFirst().dropLast()) }
  }

  /// What is wrong with it by itself; `nil` = nothing.
  private var fault: String? {
    let segments = path.split(separator: "/", omittingEmptySubsequences: false).dropFirst()
    if path != "/", segments.contains(where: \.isEmpty) { return "it has an empty segment" }
    let allowed = { (byte: UInt8) in byte > 0x20 && byte < 0x7F && !"?#%*\"<>\\^`|".utf8.contains(byte) }
    if !path.utf8.allSatisfy(allowed) {
      return "it has a character that no address has as it is: only letters, digits and - . _ ~ are safe"
    }
    if segments.contains(".") || segments.contains("..") { return "it has a segment that clients resolve" }
    if path == "/v1" || path.hasPrefix("/v1/") { return "paths below /v1 are the server's own" }
    for segment in segments where segment.contains("{") || segment.contains("}") {
      guard segment.first == "{", segment.last == "}",
        Self.names.contains(String(segment.dropFirst().dropLast()))
      else { return "'\(segment)' is no parameter; there are {user_id} and {agent}" }
    }
    if Set(parameters).count < parameters.count { return "it has a parameter twice" }
    if (agent == nil) != parameters.contains("agent") {
      return agent == nil
        ? "it has no {agent}, and no agent is named" : "it has {agent}, and an agent is named too"
    }
    if shape == .webchat, !parameters.isEmpty { return "of a webchat it has no parameters" }
    if shape.channel != nil, parameters.contains("user_id") { return "a messenger says itself who asks" }
    if shape.channel != nil, messageCharactersMax != nil { return "a messenger limits its messages itself" }
    return nil
  }
}
