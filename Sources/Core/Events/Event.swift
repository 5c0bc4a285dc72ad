// SPDX-License-Identifier: Apache-2.0
public import JSONCodec

/// Something that happened, as those are told who want to know.
public struct Event: Sendable, Hashable {
  /// `agent.executed`; what scripts emit is `external.` and their own words.
  public var type: String
  public var at: Timestamp
  /// On whose behalf; `nil` = the server's own.
  public var userID: String?
  public var runID: String?
  /// Of the events of a run: each is kept once. `nil` = it is kept as often as it is told.
  public var key: String?
  /// What its type says beside its time: a JSON object; `nil` = how the run ended, which is kept with the run.
  public var data: RawJSON?

  public init(
    _ type: String, at: Timestamp, userID: String? = nil, runID: String? = nil, key: String? = nil,
    data: RawJSON? = nil
  ) {
    self.type = type
    self.at = at
    self.userID = userID
    self.runID = runID
    self.key = key
    self.data = data
  }
}

extension Event {
  public static let agentExecuted = "agent.executed"
  public static let agentFailed = "agent.failed"
  public static let workflowStarted = "workflow.started"
  public static let workflowFailed = "workflow.failed"
  public static let guardConflict = "guard.conflict"
  public static let feedbackGiven = "feedback.given"

  /// That a run has ended: one of an agent, or an attempt of a job.
  public init(endOf turn: TurnClosing) {
    let isCompleted = turn.status == .completed
    let type =
      if turn.job == nil { isCompleted ? Self.agentExecuted : Self.agentFailed } else {
        isCompleted ? "job.executed" : "job.failed"
      }
    self.init(type, at: turn.at, userID: turn.userID, runID: turn.runID)
  }
}

extension Event {
  /// That somebody said what they think of a run; not in which words.
  public init(_ feedback: Feedback, sessionID: String?) {
    self.init(
      Self.feedbackGiven, at: feedback.at, userID: feedback.userID, runID: feedback.runID,
      // With a key of its own: what a deleted session told is found by it.
      key: "feedback \(Identifier.uuid(at: feedback.at))",
      data: RawJSON([
        "agent_id": .string(feedback.agent), "execution_id": .string(feedback.runID),
        "user_id": .string(feedback.userID), "session_id": sessionID.map(JSON.string) ?? .null,
        "version": .string(feedback.version), "score": .number(feedback.score),
      ]))
  }
}

extension Event {
  /// That a workflow failed which did not come to say so itself: it was stopped.
  public init(failureOf started: Event, because failure: Failure?, at time: Timestamp) {
    self.init(
      Self.workflowFailed, at: time, userID: started.userID, runID: started.runID,
      key: started.key.map { $0.dropLast(Self.workflowStarted.utf8.count) + Self.workflowFailed })
    var told = (try? started.data?.value())?.object ?? JSONObject()
    told["input_data"] = nil
    told["status"] = "failed"
    told["execution_time_ms"] = .integer(time.milliseconds - started.at.milliseconds)
    told["error"] = (failure ?? Failure(CancellationError())).toldJSON
    data = RawJSON(.object(told))
  }
}

/// An event in the order in which all were kept.
public struct KeptEvent: Sendable, Hashable {
  /// Grows from event to event.
  public var number: Int64
  public var event: Event

  public init(number: Int64, event: Event) {
    self.number = number
    self.event = event
  }

  /// As everybody gets it: one JSON object.
  public var json: RawJSON {
    var writer = JSONWriter(reservingCapacity: 256)
    writer.object { object in
      object.member("id", String(number))
      object.member("event_type", event.type)
      object.member("timestamp", event.at.description)
      // Cannot fail: what is kept was written by this program.
      for (name, value) in (try? event.data?.value())?.object?.members ?? [] {
        object.member(named: name, value)
      }
    }
    return writer.raw
  }
}

/// Which events are wanted: `agent.executed`, `workflow.*`; none = all.
public struct EventFilter: Sendable, Hashable {
  public var visibleTo: Visibility
  /// What steps, workflows and called agents got and gave is not told: guards may keep some of it from the user.
  public var leavesContentOut = false
  private let exact: Set<String>
  private let prefixes: [String]

  /// - Parameter types: Names, or beginnings of names with a `*` behind the last dot.
  /// - Throws: ``Failure`` `invalid_arguments` for one that no event can have.
  public init(types: [String] = [], visibleTo: Visibility = .everyone) throws(Failure) {
    self.visibleTo = visibleTo
    var (exact, prefixes): (Set<String>, [String]) = ([], [])
    for type in types {
      if type.hasSuffix(".*"), Event.isType(String(type.dropLast(2))) {
        prefixes.append(String(type.dropLast()))
      } else if Event.isType(type) {
        exact.insert(type)
      } else {
        throw Failure(
          .invalidArguments, "'\(type)' is no type of events; write \"agent.executed\" or \"workflow.*\"")
      }
    }
    self.exact = exact
    self.prefixes = prefixes
  }

  /// What is told of an event that it admits.
  public func told(_ event: Event) -> Event {
    guard leavesContentOut, var data = (try? event.data?.value())?.object, event.isOfInside(data) else {
      return event
    }
    data["input_data"] = nil
    data["output_data"] = nil
    var event = event
    event.data = RawJSON(.object(data))
    return event
  }

  public func admits(_ event: Event) -> Bool {
    if !visibleTo.admits(event.userID) { return false }
    if exact.isEmpty, prefixes.isEmpty { return true }
    return exact.contains(event.type) || prefixes.contains { event.type.hasPrefix($0) }
  }
}

extension Event {
  /// Whether it tells of what went on within a run, which no guard of the run's answer has seen.
  fileprivate func isOfInside(_ data: JSONObject) -> Bool {
    if type.hasPrefix("workflow.") { return true }
    return data["metadata"]?["called_by"].map { !$0.isNull } ?? false
  }

  /// Bytes of a type.
  public static let typeBytesMax = 100
  /// Bytes of what a script tells.
  public static let dataBytesMax = 64 << 10
  /// That one run may emit.
  public static let emittedByRunMax = 1000

  /// Whether a text may be a type: words of `a-z`, `0-9` and `_`, with dots between them.
  public static func isType(_ text: String) -> Bool {
    (1...typeBytesMax).contains(text.utf8.count)
      && text.split(separator: ".", omittingEmptySubsequences: false).allSatisfy { word in
        !word.isEmpty
          && word.utf8.allSatisfy {
            (UInt8(ascii: "a")...UInt8(ascii: "z")).contains($0)
              || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) || $0 == UInt8(ascii: "_")
          }
      }
  }
}
