// SPDX-License-Identifier: Apache-2.0
public import Core
import JSONCodec

extension SQLiteStore: ChannelStore {
  public func receive(
    _ message: ChannelMessage, dueAt: Timestamp, at time: Timestamp
  ) async throws -> Bool {
    try await commits.write { connection in
      let insert = try connection.statement(
        """
        INSERT OR IGNORE INTO channel_messages (channel, id, user_id, received_at, state, message, due_at)
        VALUES (?, ?, ?, ?, 'received', ?, ?)
        """)
      insert.bind(1, message.key.channel)
      insert.bind(2, message.key.id)
      insert.bind(3, message.userID)
      insert.bind(4, time.milliseconds)
      insert.bindBlob(5, RawJSON(message.json).bytes)
      insert.bind(6, dueAt.milliseconds)
      try insert.run()
      return connection.changes > 0
    }
  }

  public func putOff(_ key: ChannelMessage.Key) async throws -> Bool {
    try await commits.write { connection in
      let update = try connection.statement(
        "UPDATE channel_messages SET state = 'late' WHERE channel = ? AND id = ? AND state = 'received'")
      update.bind(1, key.channel)
      update.bind(2, key.id)
      try update.run()
      return connection.changes > 0
    }
  }

  public func keep(
    _ answer: ChannelAnswer, to key: ChannelMessage.Key, at time: Timestamp
  ) async throws -> Bool {
    let isReplied = try await commits.write { try $0.keep(answer, to: key, at: time) }
    answerBell.ring()
    return isReplied
  }

  public func dueAnswers(at time: Timestamp, limit: Int) async throws -> [DueAnswer] {
    try await read { connection in
      let select = try connection.statement(
        """
        SELECT channel, channel_messages.id, channel_messages.user_id, message, texts, sent, failures, due_at,
        channel_messages.run_id IS NOT NULL, runs.status, runs.failure, runs.failure_message, messages.text
        FROM channel_messages
        LEFT JOIN idempotency_keys ON idempotency_keys.user_id = channel_messages.user_id
          AND idempotency_keys.name = channel || ':' || channel_messages.id
        LEFT JOIN runs ON runs.id = coalesce(channel_messages.run_id, idempotency_keys.run_id)
        LEFT JOIN messages ON messages.key = runs.answer
        WHERE due_at <= ? AND (texts IS NOT NULL OR runs.id IS NULL OR runs.finished_at IS NOT NULL)
        ORDER BY due_at LIMIT ?
        """)
      defer { select.reset() }
      select.bind(1, time.milliseconds)
      select.bind(2, Int64(limit))
      var due: [DueAnswer] = []
      while try select.step() {
        if let answer = DueAnswer(select) { due.append(answer) }
      }
      return due
    }
  }

  public func take(_ answer: DueAnswer, until end: Timestamp) async throws -> Bool {
    try await commits.write { connection in
      let update = try connection.statement(
        """
        UPDATE channel_messages SET due_at = ?, state = iif(state = 'received', 'late', state)
        WHERE channel = ? AND id = ? AND due_at = ?
        """)
      update.bind(1, end.milliseconds)
      update.bind(2, answer.message.key.channel)
      update.bind(3, answer.message.key.id)
      update.bind(4, answer.dueAt.milliseconds)
      try update.run()
      return connection.changes > 0
    }
  }

  public func sent(
    _ count: Int, of key: ChannelMessage.Key, dueAt: Timestamp, at time: Timestamp
  ) async throws {
    try await commits.write { connection in
      let update = try connection.statement(
        """
        UPDATE channel_messages SET sent = ?, failures = 0, due_at = ?
        WHERE channel = ? AND id = ? AND texts IS NOT NULL
        """)
      update.bind(1, Int64(count))
      update.bind(2, dueAt.milliseconds)
      update.bind(3, key.channel)
      update.bind(4, key.id)
      try update.run()
      try connection.settleChannelMessage(key, at: time)
    }
  }

  public func failed(_ key: ChannelMessage.Key, retryAt: Timestamp?) async throws {
    try await commits.write { connection in
      guard let retryAt else { return try connection.giveUpChannelMessage(key) }
      let update = try connection.statement(
        "UPDATE channel_messages SET failures = failures + 1, due_at = ? WHERE channel = ? AND id = ?")
      update.bind(1, retryAt.milliseconds)
      update.bind(2, key.channel)
      update.bind(3, key.id)
      try update.run()
    }
  }

  public func releaseAnswers(at time: Timestamp) async throws {
    try await commits.write { connection in
      let update = try connection.statement("UPDATE channel_messages SET due_at = ?1 WHERE due_at > ?1")
      update.bind(1, time.milliseconds)
      try update.run()
    }
  }

  public func forgetChannelMessages(before time: Timestamp) async throws -> Int {
    try await commits.write { connection in
      let delete = try connection.statement(
        """
        DELETE FROM channel_messages WHERE rowid IN (
          SELECT rowid FROM channel_messages WHERE received_at < ? LIMIT 500)
        """)
      delete.bind(1, time.milliseconds)
      try delete.run()
      return Int(connection.changes)
    }
  }
}

extension WriterConnection {
  fileprivate func keep(
    _ answer: ChannelAnswer, to key: ChannelMessage.Key, at time: Timestamp
  ) throws -> Bool {
    let find = try statement(
      """
      SELECT state = 'received' FROM channel_messages
      WHERE channel = ? AND id = ? AND texts IS NULL AND due_at IS NOT NULL
      """)
    find.bind(1, key.channel)
    find.bind(2, key.id)
    let isReplied: Bool
    do {
      defer { find.reset() }
      // Answered already, or its user was erased.
      guard try find.step() else { return false }
      isReplied = find.integer(0) != 0
    }
    let update = try statement(
      """
      UPDATE channel_messages SET state = ?, texts = ?, sent = 0, failures = 0, run_id = ?, due_at = ?
      WHERE channel = ? AND id = ?
      """)
    update.bind(1, answer.waitingRunID == nil ? "late" : "waiting")
    update.bindText(2, RawJSON(.array(isReplied ? [] : answer.texts.map { .string($0) })).bytes)
    update.bind(3, answer.waitingRunID)
    update.bind(4, time.milliseconds)
    update.bind(5, key.channel)
    update.bind(6, key.id)
    try update.run()
    try settleChannelMessage(key, at: time)
    return isReplied
  }

  /// Ends what is to be done for a message all of whose texts are sent; one whose run waits has more to come.
  fileprivate func settleChannelMessage(_ key: ChannelMessage.Key, at time: Timestamp) throws {
    let wait = try statement(
      """
      UPDATE channel_messages SET texts = NULL, due_at = ?
      WHERE channel = ? AND id = ? AND state = 'waiting' AND sent >= json_array_length(texts)
      """)
    wait.bind(1, time.milliseconds)
    wait.bind(2, key.channel)
    wait.bind(3, key.id)
    try wait.run()
    let find = try statement(
      """
      SELECT 1 FROM channel_messages
      WHERE channel = ? AND id = ? AND state = 'late' AND sent >= json_array_length(texts)
      """)
    find.bind(1, key.channel)
    find.bind(2, key.id)
    do {
      defer { find.reset() }
      guard try find.step() else { return }
    }
    try closeChannelMessage(key)
  }

  /// What cannot be sent is dropped; where it only says that the run waits, the answer is still to come.
  fileprivate func giveUpChannelMessage(_ key: ChannelMessage.Key) throws {
    let drop = try statement(
      """
      UPDATE channel_messages SET texts = NULL, failures = 0
      WHERE channel = ? AND id = ? AND state = 'waiting' AND texts IS NOT NULL
      """)
    drop.bind(1, key.channel)
    drop.bind(2, key.id)
    try drop.run()
    if changes == 0 { try closeChannelMessage(key) }
  }

  /// Of a message with which nothing more is to be done, what it takes to know it again is kept.
  fileprivate func closeChannelMessage(_ key: ChannelMessage.Key) throws {
    let update = try statement(
      """
      UPDATE channel_messages SET state = 'answered', message = NULL, texts = NULL, run_id = NULL, due_at = NULL
      WHERE channel = ? AND id = ?
      """)
    update.bind(1, key.channel)
    update.bind(2, key.id)
    try update.run()
  }
}

extension DueAnswer {
  /// `nil` for a row that is none of ours.
  fileprivate init?(_ row: SQLStatement) {
    let key = ChannelMessage.Key(channel: row.text(0), id: row.text(1))
    guard let json = try? JSON(parsing: row.bytes(3)),
      let message = ChannelMessage(key: key, userID: row.text(2), json: json)
    else { return nil }
    let work: Work
    if !row.isNull(4) {
      let texts = (try? JSON(parsing: row.bytes(4)))?.array?.compactMap(\.string) ?? []
      let sent = Int(row.integer(5))
      work = .send(Array(texts.dropFirst(sent)), sent: sent)
    } else if let status = row.optionalText(9).flatMap(RunRecord.Status.init) {
      let failure = row.optionalText(10).map {
        Failure(Failure.Code(rawValue: $0), row.text(11))
      }
      work = .ended(status, failure, text: row.text(12))
    } else {
      work = row.integer(8) != 0 ? .forget : .begin
    }
    self.init(
      message: message, work: work, failures: Int(row.integer(6)),
      dueAt: Timestamp(milliseconds: row.integer(7)))
  }
}
