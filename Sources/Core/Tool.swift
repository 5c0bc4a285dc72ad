// SPDX-License-Identifier: Apache-2.0
public import JSONCodec

/// A tool as its script defines it.
public final class Tool: Sendable {
  public enum Effect: String, Sendable, CaseIterable {
    case read, write
  }

  /// What becomes of a call that was under way when the server stopped.
  public enum UnknownOutcome: String, Sendable, CaseIterable {
    /// It is made again, with the same idempotency key.
    case retry
    /// A person says.
    case ask
    /// The tool's function says.
    case check
  }

  /// Whether a person must agree before it runs.
  public enum ApprovalRule: Sendable, Hashable {
    case never, always
    /// The tool's function says, by what it is called with.
    case asked
  }

  public let name: String
  /// Path in the workspace, `tools/todos.lua`.
  public let file: String
  public let description: String
  public let parameters: Schema
  public let access: Access
  public let timeoutSeconds: Double
  /// Further attempts after an error that is retryable.
  public let retries: Int
  public let effect: Effect
  public let unknown: UnknownOutcome
  public let approval: ApprovalRule
  /// Whether it may be published as a job.
  public let isAction: Bool
  /// Attempts of such a job, the first included.
  public let attemptsOfJobs: Int
  /// Roles of which the user must have one; empty = everybody.
  public let roles: [String]

  public init(
    name: String, file: String, description: String, parameters: Schema, access: Access = Access(),
    timeoutSeconds: Double = 30, retries: Int = 0, effect: Effect = .write, unknown: UnknownOutcome? = nil,
    approval: ApprovalRule = .never, isAction: Bool = false, attemptsOfJobs: Int = Job.attemptsDefault,
    roles: [String] = []
  ) {
    self.roles = roles
    self.isAction = isAction
    self.attemptsOfJobs = attemptsOfJobs
    self.name = name
    self.file = file
    self.description = description
    self.parameters = parameters
    self.access = access
    self.timeoutSeconds = timeoutSeconds
    self.retries = retries
    self.effect = effect
    self.approval = approval
    self.unknown = unknown ?? (effect == .read ? .retry : .ask)
  }

  /// Whether it may be used on the user's behalf; what they may not use, a model is not told of.
  public func admits(_ user: Principal) -> Bool {
    roles.isEmpty || roles.contains(where: user.roles.contains)
  }

  /// Why a call on behalf of somebody else is not made.
  public var refusal: Failure { Failure(.denied, "you may not use the tool '\(name)'") }
}

/// What the model is told of a tool.
public struct ToolDescription: Sendable, Hashable {
  public let name: String
  public let description: String
  /// JSON Schema of the arguments, an object.
  public let schema: RawJSON
  /// Whether the provider is asked to enforce the schema: it is a ``Schema/strict`` one.
  public let isStrict: Bool

  public init(name: String, description: String, schema: RawJSON, isStrict: Bool = false) {
    self.name = name
    self.description = description
    self.schema = schema
    self.isStrict = isStrict
  }

  /// Describes parameters in the strict form where they have one; made when they were loaded.
  public init(name: String, description: String, parameters: Schema) {
    self.init(
      name: name, description: description, schema: parameters.strict ?? parameters.json,
      isStrict: parameters.strict != nil)
  }
}

/// A call that a model asked for; the arguments are its own text, not yet known to be JSON.
public struct ToolCallRequest: Sendable, Hashable {
  public let id: String
  public let name: String
  public let arguments: String

  public init(id: String, name: String, arguments: String) {
    self.id = id
    self.name = name
    self.arguments = arguments
  }
}

/// A call that was made, and how it ended.
public struct ToolCall: Sendable, Hashable {
  public enum Outcome: Sendable, Hashable {
    case result(RawJSON)
    case failed(Failure)
  }

  public let id: String
  public let name: String
  /// What the tool got: validated and defaulted; the model's own text as a string where it was no JSON.
  public let arguments: RawJSON
  public let outcome: Outcome
  public let startedAt: Timestamp
  public let durationMilliseconds: Double

  public init(
    id: String, name: String, arguments: RawJSON, outcome: Outcome, startedAt: Timestamp,
    durationMilliseconds: Double
  ) {
    self.id = id
    self.name = name
    self.arguments = arguments
    self.outcome = outcome
    self.startedAt = startedAt
    self.durationMilliseconds = durationMilliseconds
  }

  /// What the model reads as the tool's answer.
  public var content: String {
    switch outcome {
    case .result(let json): json.text
    case .failed(let failure): failure.modelText
    }
  }
}

extension Failure {
  /// The failure as the JSON that a model reads in place of a tool's result.
  public var modelText: String {
    var writer = JSONWriter()
    writer.object {
      $0.key("error")
      $0.object {
        $0.member("code", code.rawValue)
        $0.member("message", message)
        $0.member("retryable", retryable)
        if let detail { $0.member("detail", detail) }
      }
    }
    return writer.raw.text
  }
}

extension Tool {
  /// Why it cannot be called inside a transaction; `nil` = it can.
  var misfitsTransactions: Failure? {
    if approval != .never {
      return Failure(
        .invalidArguments,
        "the tool '\(name)' may not be called inside db.transaction: it may have to wait for a person")
    }
    guard effect == .write, !access.requests.isEmpty || access.keyValue >= .write else { return nil }
    let what = access.requests.isEmpty ? "kv" : "http"
    return Failure(
      .invalidArguments,
      "the tool '\(name)' may not be called inside db.transaction: what it does over \(what) could not be rolled back"
    )
  }
}
