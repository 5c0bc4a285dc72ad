// SPDX-License-Identifier: Apache-2.0
public import Core
import JSONCodec

extension SQLiteStore {
  public func steps(ofRuns ids: [String], userID: String) async throws -> [String: [TurnStep]] {
    try await read { connection in
      var found: [String: [TurnStep]] = [:]
      for id in ids where found[id] == nil {
        let select = try connection.statement("SELECT 1 FROM runs WHERE id = ? AND user_id = ?")
        defer { select.reset() }
        select.bind(1, id)
        select.bind(2, userID)
        guard try select.step() else { continue }
        let steps = try ToolCallRow.steps(
          runID: id, try connection.statement(ToolCallRow.selection.description))
        if !steps.isEmpty { found[id] = steps }
      }
      return found
    }
  }
}

/// The two writes of a turn that belongs to no session: its run, and the run's tool calls.
extension WriterConnection {
  func openLoneRun(_ turn: TurnOpening) throws -> OpenedTurn {
    if turn.isAgain {
      try restartRun(turn)
      return OpenedTurn(history: [], state: .emptyObject)
    }
    if let key = turn.idempotencyKey { try remember(key, of: turn) }
    let insert = try statement(
      """
      INSERT INTO runs (id, user_id, agent, version, status, started_at) VALUES (?, ?, ?, ?, 'running', ?)
      """)
    insert.bind(1, turn.runID)
    insert.bind(2, turn.userID)
    insert.bind(3, turn.agent)
    insert.bind(4, turn.version)
    insert.bind(5, turn.at.milliseconds)
    try insert.run()
    return OpenedTurn(history: [], state: .emptyObject)
  }

  /// Writes how the run ended; nothing when it has ended before.
  func closeLoneRun(_ turn: TurnClosing) throws {
    let find = try statement(
      """
      SELECT seq, agent, version FROM runs
      WHERE id = ? AND user_id = ? AND session IS NULL AND finished_at IS NULL
      """)
    find.bind(1, turn.runID)
    find.bind(2, turn.userID)
    let run: Int64
    let (agent, version): (String, String)
    do {
      defer { find.reset() }
      guard try find.step() else {
        return try recordOrphan(turn)
      }
      (run, agent, version) = (find.integer(0), find.text(1), find.text(2))
    }
    if let ending = turn.job, try !endAttempt(runID: turn.runID, ending, at: turn.at) {
      for entry in turn.audit { try record(entry) }
      return
    }
    try endRun(run, turn)
    try record(turn, agent: agent, version: version)
    try write(turn.journal, runID: turn.runID)
    if turn.hasAsked || turn.isResumed { try eraseDeciders(ofRun: turn.runID) }
    if turn.isAgain { try forgetCalls(of: turn.runID) }
    try insertCalls(turn)
    if turn.isKeyed, turn.status == .completed { try insertLoneAnswer(turn) }
    // Nobody can name the session that the run was given, so nobody would ever read these.
    let values = try statement("DELETE FROM kv WHERE scope = ?")
    values.bind(1, KeyValueScope.session(userID: turn.userID, sessionID: turn.sessionID).text)
    try values.run()
  }

  private func insertLoneAnswer(_ turn: TurnClosing) throws {
    let insert = try statement("INSERT OR REPLACE INTO lone_answers VALUES (?, ?, ?, ?)")
    insert.bind(1, turn.runID)
    insert.bind(2, turn.messageID)
    insert.bind(3, turn.text)
    insert.bindBlob(
      4,
      RawJSON(
        .array(
          turn.handedOut.map {
            ["id": .string($0.id), "name": .string($0.name), "arguments": .string($0.arguments)]
          })
      ).bytes)
    try insert.run()
  }

  /// What a turn without a session answered, if it may be asked for once more.
  func loneAnswer(of runID: String) throws -> (messageID: String, text: String, handedOut: [ToolCallRequest])?
  {
    let select = try statement("SELECT message_id, text, handed_out FROM lone_answers WHERE run_id = ?")
    select.bind(1, runID)
    defer { select.reset() }
    guard try select.step() else { return nil }
    let calls = (try? JSON(parsing: select.bytes(2)))?.array ?? []
    return (
      select.text(0), select.text(1),
      calls.map {
        ToolCallRequest(
          id: $0["id"]?.string ?? "", name: $0["name"]?.string ?? "",
          arguments: $0["arguments"]?.string ?? "{}")
      }
    )
  }
}
