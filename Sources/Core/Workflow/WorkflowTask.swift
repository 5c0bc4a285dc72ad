// SPDX-License-Identifier: Apache-2.0
public import JSONCodec

/// What a step or a state does: exactly one thing.
public enum WorkflowAction: Sendable, Hashable {
  case agent(String)
  case tool(String)
  /// The script's own `run`.
  case function
  case approval(ApprovalStep)
  /// An address that is told the step's input.
  case webhook(String)
  case sleep(seconds: Double)

  public var isApproval: Bool { if case .approval = self { true } else { false } }
}

/// What a person is asked.
public struct ApprovalStep: Sendable, Hashable {
  public let title: String
  /// `nil` = the step's input is shown.
  public let detail: JSON?
  /// What is to be filled in; `nil` = nothing.
  public let form: Schema?
  /// Who may decide; empty = the run's owner.
  public let roles: [String]

  public init(title: String, detail: JSON? = nil, form: Schema? = nil, roles: [String] = []) {
    self.title = title
    self.detail = detail
    self.form = form
    self.roles = roles
  }
}

/// What steps of a graph and states of a machine have in common: something that is done, perhaps several times.
public struct WorkflowTask: Sendable, Hashable {
  public struct Retry: Sendable, Hashable {
    public static let attemptsMax = 20
    /// What a pause grows to at most.
    public static let backoffSecondsMax = 60.0
    /// Once only.
    public static let none = Retry(attempts: 1, backoffSeconds: 1)

    /// The first one included.
    public let attempts: Int
    /// Before the second attempt; doubled before each further one.
    public let backoffSeconds: Double

    public init(attempts: Int, backoffSeconds: Double) {
      self.attempts = attempts
      self.backoffSeconds = backoffSeconds
    }

    /// Seconds to wait after an attempt; `nil` = it was the last, or another would fail, too.
    ///
    /// - Parameter attempt: From 1; 0 = nothing was attempted yet.
    func pause(after attempt: Int, _ failure: Failure) -> Double? {
      guard attempt > 0, attempt < attempts, failure.retryable else { return nil }
      var pause = backoffSeconds
      for _ in 1..<attempt where pause < Self.backoffSecondsMax { pause *= 2 }
      return min(max(pause, failure.retryAfterSeconds ?? 0), Self.backoffSecondsMax)
    }
  }

  public let name: String
  public let action: WorkflowAction
  /// Whether the script's `input` makes what the action gets.
  public let hasInput: Bool
  public let retry: Retry
  /// Of one attempt; of an approval: after which it expires.
  public let timeoutSeconds: Double?

  public init(
    name: String, action: WorkflowAction, hasInput: Bool = false, retry: Retry = .none,
    timeoutSeconds: Double? = nil
  ) {
    self.name = name
    self.action = action
    self.hasInput = hasInput
    self.retry = retry
    self.timeoutSeconds = timeoutSeconds
  }
}

/// What an action came to.
public struct StepResult: Sendable, Hashable {
  public let value: RawJSON
  /// An agent's words beside its data.
  public let words: String?

  public init(_ value: RawJSON, words: String? = nil) {
    self.value = value
    self.words = words
  }

  /// What it says, when it is text.
  var text: String? { words ?? (try? value.value())?.string }
}

extension Failure {
  /// How a step that failed stands among the results: `{ error = { code, message } }`.
  var stepResult: RawJSON {
    var writer = JSONWriter()
    writer.object {
      $0.key("error")
      $0.object {
        $0.member("code", code.rawValue)
        $0.member("message", message)
      }
    }
    return writer.raw
  }
}

/// Spans of time in workflows: seconds, or as ``WrittenDuration``.
public enum WorkflowDuration {
  public static func seconds(_ text: String) -> Double? {
    WrittenDuration(text).map { $0.duration / .seconds(1) }
  }

  public static func seconds(_ number: Double) -> Double? {
    number > 0 && number <= WrittenDuration.secondsMax ? number : nil
  }

  /// The shortest way to write it: `48h`.
  public static func text(_ seconds: Double) -> String {
    for (unit, size) in [("d", 86_400.0), ("h", 3600), ("m", 60), ("s", 1)] {
      let count = seconds / size
      // Two days are said as hours, as people say it.
      if unit == "d", count < 3 { continue }
      if let whole = Int(exactly: count), whole > 0 { return "\(whole)\(unit)" }
    }
    return "\(seconds)s"
  }
}
