// SPDX-License-Identifier: Apache-2.0
import Core

/// What was said in a session before the messages that are still shown whole.
extension WriterConnection {
  /// The summary, and the key of the first message that is not in it.
  func summary(of session: Int64) throws -> (text: String, firstKept: Int64)? {
    let select = try statement("SELECT text, first_kept FROM session_summaries WHERE session = ?")
    select.bind(1, session)
    defer { select.reset() }
    return try select.step() ? (select.text(0), select.integer(1)) : nil
  }

  /// Looks through the whole session for the message: a summary is made once in many turns.
  func write(_ summary: ConversationSummary, of session: Int64, runID: String) throws {
    let keys = MessageKeys(session: session)
    let write = try statement(
      """
      INSERT OR REPLACE INTO session_summaries (session, text, first_kept)
      SELECT ?1, ?2, min(key) FROM messages WHERE key BETWEEN ?3 AND ?4 AND run_id = ?5
      HAVING min(key) IS NOT NULL
      """, keepsHistories: true)
    write.bind(1, session)
    write.bind(2, summary.text)
    write.bind(3, keys.first)
    write.bind(4, keys.last)
    write.bind(5, summary.keptFromRunID ?? runID)
    try write.run()
  }
}
