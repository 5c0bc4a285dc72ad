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
      "SELECT seq FROM runs WHERE id = ? AND user_id = ? AND session IS NULL AND finished_at IS NULL")
    find.bind(1, turn.runID)
    find.bind(2, turn.userID)
    let run: Int64
    do {
      defer { find.reset() }
      guard try find.step() else { return }
      run = find.integer(0)
    }
    try endRun(run, turn)
    try insertCalls(turn)
    // Nobody can name the session that the run was given, so nobody would ever read these.
    let values = try statement("DELETE FROM kv WHERE scope = ?")
    values.bind(1, KeyValueScope.session(userID: turn.userID, sessionID: turn.sessionID).text)
    try values.run()
  }
}
