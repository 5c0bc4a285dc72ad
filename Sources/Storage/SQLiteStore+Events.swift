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
        """
        SELECT number, type, at, user_id, run_id, data FROM events
        WHERE \(filter.visibleTo.tenantCondition) AND number > ?3 ORDER BY number
        """)
      defer { select.reset() }
      select.bind(filter.visibleTo)
      select.bind(3, number)
      var (events, last, looked): ([KeptEvent], Int64, Int) = ([], number, 0)
      while events.count < limit, looked < Self.eventsLookedAtMax {
        guard try select.step() else {
          // What a tenant's page passed over are others'.
          last = max(last, try connection.lastEventNumber())
          break
        }
        looked += 1
        last = select.integer(0)
        var event = Event(
          select.text(1), at: Timestamp(milliseconds: select.integer(2)), userID: select.optionalText(3),
          runID: select.optionalText(4))
        guard filter.admits(event) else { continue }
        event.data =
          try select.isNull(5)
          ? RunEnding.json(of: event, connection.statement(RunEnding.selection.description))
          : RawJSON(trusted: select.bytes(5))
        events.append(KeptEvent(number: last, event: filter.told(event)))
      }
      return (events, last)
    }
  }

  /// Of one read, so that a filter that admits little holds no old state of the database for long.
  private static let eventsLookedAtMax = 5000

  public func lastEventNumber() async throws -> Int64 {
    try await read { try $0.lastEventNumber() }
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

  public func keepDelivery(
    _ delivery: EventDelivery, heldUntil lease: Timestamp, next: Timestamp?
  ) async throws -> Bool {
    try await commits.write { connection in
      let update = try connection.statement(
        """
        UPDATE event_deliveries SET number = ?, failures = ?, due_at = ?, lease_at = ?
        WHERE name = ? AND lease_at = ?
        """)
      update.bind(1, delivery.number)
      update.bind(2, Int64(delivery.failures))
      update.bind(3, delivery.dueAt.milliseconds)
      update.bind(4, next?.milliseconds ?? 0)
      update.bind(5, delivery.name)
      update.bind(6, lease.milliseconds)
      try update.run()
      return connection.changes > 0
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

extension ReaderConnection {
  fileprivate func lastEventNumber() throws -> Int64 {
    let select = try statement("SELECT max(number) FROM events")
    defer { select.reset() }
    return try select.step() ? select.optionalInteger(0) ?? 0 : 0
  }
}

extension WriterConnection {
  /// Keeps what the end of a run told, which is done again and will end otherwise.
  func freezeEnding(of runID: String) throws {
    let find = try statement(
      "SELECT number, user_id FROM events WHERE number = (SELECT end_event FROM runs WHERE id = ?)")
    find.bind(1, runID)
    defer { find.reset() }
    guard try find.step() else { return }
    let told = Event(
      Event.agentFailed, at: Timestamp(milliseconds: 0), userID: find.optionalText(1), runID: runID)
    let data = try RunEnding.json(of: told, statement(RunEnding.selection))
    // With a key of its own: what a deleted session told is found by it.
    let freeze = try statement(
      "UPDATE events SET data = ?, key = 'end ' || number WHERE number = ? AND data IS NULL")
    freeze.bindBlob(1, data.bytes)
    freeze.bind(2, find.integer(0))
    try freeze.run()
  }

  /// Tells that workflows have failed whose run ends before they told how they ended.
  func endWorkflows(of turn: TurnClosing) throws {
    let find = try statement(
      """
      SELECT at, key, data FROM events AS started
      WHERE run_id = ?1 AND key IS NOT NULL AND type = 'workflow.started' AND data IS NOT NULL
      AND NOT EXISTS (
        SELECT 1 FROM events AS ended WHERE ended.run_id = ?1 AND ended.key IN (
          substr(started.key, 1, length(started.key) - 7) || 'completed',
          substr(started.key, 1, length(started.key) - 7) || 'failed'))
      ORDER BY number DESC
      """)
    find.bind(1, turn.runID)
    var events: [Event] = []
    do {
      defer { find.reset() }
      while try find.step() {
        let started = Event(
          Event.workflowStarted, at: Timestamp(milliseconds: find.integer(0)), userID: turn.userID,
          runID: turn.runID, key: find.text(1), data: RawJSON(trusted: find.bytes(2)))
        events.append(Event(failureOf: started, because: turn.failure, at: turn.at))
      }
    }
    for event in events { try insert(event) }
  }

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
    if event.type == Event.guardConflict, changes > 0 {
      try record(AuditEntry(conflict: event, version: event.runID.flatMap(version(ofRun:))))
    }
  }

  private func version(ofRun id: String) throws -> String? {
    let find = try statement("SELECT version FROM runs WHERE id = ?")
    find.bind(1, id)
    defer { find.reset() }
    return try find.step() ? find.text(0) : nil
  }
}
