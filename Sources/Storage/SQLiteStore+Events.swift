// SPDX-License-Identifier: Apache-2.0
public import Core
import JSONCodec

extension SQLiteStore {
  public func keep(_ events: [Event]) async throws {
    guard !events.isEmpty else { return }
    try await commits.write { connection in
      for event in events { try connection.insert(event) }
    }
    eventBell.ring()
  }

  public func events(
    after number: Int64, _ filter: EventFilter, limit: Int
  ) async throws -> (events: [KeptEvent], last: Int64) {
    try await read { connection in
      let select = try connection.statement(
        "SELECT number, type, at, user_id, run_id, data FROM events WHERE number > ? ORDER BY number")
      defer { select.reset() }
      select.bind(1, number)
      var (events, last, looked): ([KeptEvent], Int64, Int) = ([], number, 0)
      while events.count < limit, looked < Self.eventsLookedAtMax, try select.step() {
        looked += 1
        last = select.integer(0)
        var event = Event(
          select.text(1), at: Timestamp(milliseconds: select.integer(2)), userID: select.optionalText(3),
          runID: select.optionalText(4))
        guard filter.admits(event) else { continue }
        event.data = select.isNull(5) ? try connection.ending(of: event) : RawJSON(trusted: select.bytes(5))
        events.append(KeptEvent(number: last, event: event))
      }
      return (events, last)
    }
  }

  /// Of one read, so that a filter that admits little holds no old state of the database for long.
  private static let eventsLookedAtMax = 5000

  public func lastEventNumber() async throws -> Int64 {
    try await read { connection in
      let select = try connection.statement("SELECT max(number) FROM events")
      defer { select.reset() }
      return try select.step() ? select.optionalInteger(0) ?? 0 : 0
    }
  }

  public func forgetEvents(before time: Timestamp) async throws -> Int {
    try await commits.write { connection in
      let delete = try connection.statement(
        """
        DELETE FROM events WHERE number IN (
          SELECT number FROM events
          WHERE key IS NULL OR NOT EXISTS (SELECT 1 FROM runs WHERE id = run_id AND finished_at IS NULL)
          ORDER BY number LIMIT 500) AND at < ?
        """)
      delete.bind(1, time.milliseconds)
      try delete.run()
      return Int(connection.changes)
    }
  }
}

extension SQLiteStore {
  public func delivery(to name: String) async throws -> EventDelivery {
    if let known = try await read({ try Self.delivery(name, $0.statement(Self.deliverySelection)) }) {
      return known
    }
    return try await commits.write { connection in
      let insert = try connection.statement(
        """
        INSERT OR IGNORE INTO event_deliveries VALUES (?, ifnull((SELECT max(number) FROM events), 0), 0, 0, 0)
        """)
      insert.bind(1, name)
      try insert.run()
      return try Self.delivery(
        name, connection.statement("SELECT number, failures, due_at FROM event_deliveries WHERE name = ?"))
        ?? EventDelivery(name: name, number: 0, failures: 0, dueAt: Timestamp(milliseconds: 0))
    }
  }

  private static let deliverySelection =
    "SELECT number, failures, due_at FROM event_deliveries WHERE name = ?"

  private static func delivery(_ name: String, _ select: SQLStatement) throws -> EventDelivery? {
    select.bind(1, name)
    defer { select.reset() }
    guard try select.step() else { return nil }
    return EventDelivery(
      name: name, number: select.integer(0), failures: Int(select.integer(1)),
      dueAt: Timestamp(milliseconds: select.integer(2)))
  }

  public func takeDelivery(
    _ delivery: EventDelivery, until lease: Timestamp, at time: Timestamp
  ) async throws -> Bool {
    try await commits.write { connection in
      let update = try connection.statement(
        """
        UPDATE event_deliveries SET lease_at = ?
        WHERE name = ? AND number = ? AND failures = ? AND due_at <= ?5 AND lease_at <= ?5
        """)
      update.bind(1, lease.milliseconds)
      update.bind(2, delivery.name)
      update.bind(3, delivery.number)
      update.bind(4, Int64(delivery.failures))
      update.bind(5, time.milliseconds)
      try update.run()
      return connection.changes > 0
    }
  }

  public func leaveDelivery(_ delivery: EventDelivery) async throws {
    try await commits.write { connection in
      let update = try connection.statement(
        "UPDATE event_deliveries SET number = ?, failures = ?, due_at = ?, lease_at = 0 WHERE name = ?")
      update.bind(1, delivery.number)
      update.bind(2, Int64(delivery.failures))
      update.bind(3, delivery.dueAt.milliseconds)
      update.bind(4, delivery.name)
      try update.run()
    }
  }

  public func keepAgents(_ names: [String], version: String, at time: Timestamp) async throws {
    try await commits.write { connection in
      let select = try connection.statement("SELECT name FROM agents")
      var known: Set<String> = []
      do {
        defer { select.reset() }
        while try select.step() { known.insert(select.text(0)) }
      }
      func tell(_ type: String, _ name: String) throws {
        try connection.insert(
          Event(type, at: time, data: RawJSON(["agent_id": .string(name), "version": .string(version)])))
      }
      let insert = try connection.statement("INSERT INTO agents VALUES (?, ?)")
      for name in names.sorted() where !known.contains(name) {
        insert.bind(1, name)
        insert.bind(2, time.milliseconds)
        try insert.run()
        try tell("agent.created", name)
      }
      let delete = try connection.statement("DELETE FROM agents WHERE name = ?")
      for name in known.subtracting(names).sorted() {
        delete.bind(1, name)
        try delete.run()
        try tell("agent.deleted", name)
      }
    }
    eventBell.ring()
  }
}

extension WriterConnection {
  func insert(_ event: Event) throws {
    let insert = try statement(
      "INSERT OR IGNORE INTO events (type, at, user_id, run_id, key, data) VALUES (?, ?, ?, ?, ?, ?)")
    insert.bind(1, event.type)
    insert.bind(2, event.at.milliseconds)
    insert.bind(3, event.userID)
    insert.bind(4, event.runID)
    insert.bind(5, event.key)
    if let data = event.data { insert.bindBlob(6, data.bytes) } else { insert.bindNull(6) }
    try insert.run()
  }
}

extension ReaderConnection {
  /// What the end of a run tells; of one that went with its session only its name.
  fileprivate func ending(of event: Event) throws -> RawJSON {
    let select = try statement(
      """
      SELECT runs.agent, runs.version, runs.status, runs.failure, runs.failure_message, runs.data, runs.started_at,
      runs.finished_at, runs.input_tokens, runs.output_tokens, runs.cost_usd, sessions.name, runs.session
      FROM runs LEFT JOIN sessions ON sessions.id = runs.session WHERE runs.id = ?
      """)
    select.bind(1, event.runID)
    defer { select.reset() }
    var writer = JSONWriter(reservingCapacity: 512)
    let isKept = try select.step()
    var (question, answer): (String?, String?)
    if isKept, !select.isNull(12) {
      let keys = MessageKeys(session: select.integer(12))
      let messages = try statement(
        "SELECT text, is_answer FROM messages WHERE key BETWEEN ? AND ? AND run_id = ?")
      messages.bind(1, keys.first)
      messages.bind(2, keys.last)
      messages.bind(3, event.runID)
      defer { messages.reset() }
      while try messages.step() {
        if messages.integer(1) == 0 { question = messages.text(0) } else { answer = messages.text(0) }
      }
    }
    writer.object { object in
      object.member("agent_id", isKept ? .string(select.text(0)) : JSON.null)
      object.member("execution_id", event.runID.map(JSON.string) ?? .null)
      object.member("user_id", event.userID.map(JSON.string) ?? .null)
      object.member("session_id", isKept ? select.optionalText(11).map(JSON.string) ?? .null : .null)
      object.member("input_data", question.map { ["message": .string($0)] } ?? .null)
      if let answer {
        object.key("output_data")
        object.object {
          $0.member("response", answer)
          if !select.isNull(5) { $0.member("data", RawJSON(trusted: select.bytes(5))) }
        }
      } else {
        object.member("output_data", JSON.null)
      }
      object.member(
        "execution_time_ms",
        isKept ? JSON.integer((select.optionalInteger(7) ?? select.integer(6)) - select.integer(6)) : .null)
      object.member("status", isKept ? .string(select.text(2)) : JSON.null)
      if isKept, let code = select.optionalText(3) {
        object.member(
          "error", ["code": .string(code), "message": .string(select.optionalText(4) ?? "")] as JSON)
      }
      object.key("metadata")
      object.object {
        $0.member("workflow_id", JSON.null)
        $0.member("step_id", JSON.null)
        guard isKept else { return }
        $0.member("version", select.text(1))
        $0.member("input_tokens", Int(select.integer(8)))
        $0.member("output_tokens", Int(select.integer(9)))
        $0.member("cost_usd", select.optionalDouble(10).map(JSON.number) ?? .null)
      }
    }
    return writer.raw
  }
}
