// SPDX-License-Identifier: Apache-2.0
import FoundationEssentials
import GRDB

/// The host's schema, one numbered step per release that changed it; a step that was published never changes.
///
/// Timestamps are milliseconds since 1970 UTC.
enum Migrations {
  static var migrator: DatabaseMigrator {
    var migrator = DatabaseMigrator()
    migrator.registerMigration("0001 conversations") { try $0.execute(sql: conversations) }
    migrator.registerMigration("0002 answers by key") { try $0.execute(sql: answersByKey) }
    migrator.registerMigration("0003 tokens of answers") {
      try $0.execute(sql: "ALTER TABLE messages ADD COLUMN tokens INTEGER")
    }
    migrator.registerMigration("0004 summaries") { try $0.execute(sql: summaries) }
    migrator.registerMigration("0005 versions") { try $0.execute(sql: versions) }
    migrator.registerMigration("0006 answers of lone runs by key") { try $0.execute(sql: loneAnswers) }
    migrator.registerMigration("0007 journal") { try $0.execute(sql: journal) }
    migrator.registerMigration("0008 jobs") { try $0.execute(sql: jobs) }
    migrator.registerMigration("0009 approvals") { try $0.execute(sql: approvals) }
    migrator.registerMigration("0010 schedules") { try $0.execute(sql: schedules) }
    migrator.registerMigration("0011 events") { try $0.execute(sql: events) }
    migrator.registerMigration("0012 places of what runs tell") { try $0.execute(sql: places) }
    migrator.registerMigration("0013 audit") { try $0.execute(sql: audit) }
    migrator.registerMigration("0014 API keys") { try $0.execute(sql: apiKeys) }
    migrator.registerMigration("0015 tenants of API keys") {
      try $0.execute(sql: "ALTER TABLE api_keys ADD COLUMN tenant TEXT")
    }
    migrator.registerMigration("0016 traces of jobs") {
      try $0.execute(sql: "ALTER TABLE jobs ADD COLUMN trace TEXT")
    }
    migrator.registerMigration("0017 erasure") {
      try $0.execute(sql: erasure)
      try $0.execute(sql: "INSERT INTO audit_key VALUES (1, ?)", arguments: [Data(AuditChain.newKey())])
    }
    migrator.registerMigration("0018 messages of channels") { try $0.execute(sql: channelMessages) }
    // Those were left out of what models read by the answer's failure before.
    migrator.registerMigration("0019 messages that were refused") {
      try $0.execute(
        sql: """
          UPDATE messages SET failure = 'unchecked' WHERE is_answer = 0 AND failure IS NULL
          AND key IN (SELECT question FROM runs WHERE failure = 'rejected')
          """)
    }
    migrator.registerMigration("0020 feedback") { try $0.execute(sql: feedback) }
    return migrator
  }

  /// Tables of version 1.
  ///
  /// Every table that a turn touches costs it a page or two, so there are few, and few indexes:
  /// - A message's key is `session << 24 | position`: one b-tree holds each session's messages side by side.
  /// - A session's state has its own table, so that a turn that leaves it alone does not rewrite it.
  /// - Runs are never found by session: the user's messages name them. Nor by status: `marks.runs_settled`
  ///   is the last run that was there at the last start, so that the next one looks at later runs only.
  private static let conversations = """
    CREATE TABLE users (
      id TEXT PRIMARY KEY NOT NULL,
      created_at INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE sessions (
      id INTEGER PRIMARY KEY AUTOINCREMENT,
      user_id TEXT NOT NULL REFERENCES users (id),
      name TEXT NOT NULL,
      title TEXT NOT NULL,
      agent TEXT,
      created_at INTEGER NOT NULL,
      updated_at INTEGER NOT NULL,
      message_count INTEGER NOT NULL,
      UNIQUE (user_id, name)
    ) STRICT;
    CREATE INDEX sessions_by_use ON sessions (user_id, updated_at);

    CREATE TABLE session_states (
      session INTEGER PRIMARY KEY REFERENCES sessions (id) ON DELETE CASCADE,
      state BLOB NOT NULL
    ) STRICT;

    CREATE TABLE messages (
      key INTEGER PRIMARY KEY,
      id TEXT NOT NULL,
      run_id TEXT NOT NULL,
      is_answer INTEGER NOT NULL,
      text TEXT NOT NULL,
      failure TEXT,
      has_calls INTEGER NOT NULL,
      created_at INTEGER NOT NULL
    ) STRICT;

    CREATE TABLE tool_calls (
      run_id TEXT NOT NULL,
      step INTEGER NOT NULL,
      position INTEGER NOT NULL,
      step_text TEXT,
      call_id TEXT NOT NULL,
      name TEXT NOT NULL,
      arguments BLOB NOT NULL,
      result BLOB,
      error BLOB,
      started_at INTEGER NOT NULL,
      duration_ms REAL NOT NULL,
      PRIMARY KEY (run_id, step, position)
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE runs (
      seq INTEGER PRIMARY KEY,
      id TEXT NOT NULL UNIQUE,
      user_id TEXT NOT NULL,
      session INTEGER,
      agent TEXT NOT NULL,
      version TEXT NOT NULL,
      status TEXT NOT NULL,
      failure TEXT,
      failure_message TEXT,
      input_tokens INTEGER NOT NULL DEFAULT 0,
      output_tokens INTEGER NOT NULL DEFAULT 0,
      cost_usd REAL DEFAULT 0,
      started_at INTEGER NOT NULL,
      finished_at INTEGER
    ) STRICT;
    CREATE INDEX runs_by_user ON runs (user_id);

    CREATE TABLE kv (
      scope TEXT NOT NULL,
      key TEXT NOT NULL,
      value BLOB NOT NULL,
      expires_at INTEGER,
      PRIMARY KEY (scope, key)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX kv_by_expiry ON kv (expires_at) WHERE expires_at IS NOT NULL;

    CREATE TABLE marks (
      id INTEGER PRIMARY KEY CHECK (id = 1),
      checks INTEGER NOT NULL,
      runs_settled INTEGER NOT NULL
    ) STRICT;
    INSERT INTO marks VALUES (1, 0, 0);
    """

  /// Of version 7: what runs do and see, and what one needs to go on after a crash (`beginning`).
  private static let journal = """
    ALTER TABLE runs ADD COLUMN seed INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE runs ADD COLUMN beginning BLOB;
    ALTER TABLE runs ADD COLUMN resumptions INTEGER NOT NULL DEFAULT 0;

    CREATE TABLE journal (
      run_id TEXT NOT NULL,
      number INTEGER NOT NULL,
      key TEXT NOT NULL,
      name TEXT NOT NULL,
      digest INTEGER NOT NULL,
      arguments BLOB,
      result BLOB,
      failure BLOB,
      started_at INTEGER NOT NULL,
      duration_ms REAL NOT NULL,
      PRIMARY KEY (run_id, number)
    ) STRICT, WITHOUT ROWID;
    """

  /// Of version 9: questions to people, and when runs that wait have to be woken.
  private static let approvals = """
    ALTER TABLE runs ADD COLUMN wake_at INTEGER;
    CREATE INDEX runs_by_wake ON runs (wake_at) WHERE wake_at IS NOT NULL;

    CREATE TABLE approvals (
      seq INTEGER PRIMARY KEY AUTOINCREMENT,
      id TEXT NOT NULL UNIQUE,
      run_id TEXT NOT NULL,
      key TEXT NOT NULL,
      user_id TEXT NOT NULL,
      agent TEXT NOT NULL,
      title TEXT NOT NULL,
      detail BLOB,
      choices TEXT NOT NULL,
      form BLOB,
      roles TEXT NOT NULL,
      digest INTEGER NOT NULL,
      status TEXT NOT NULL,
      created_at INTEGER NOT NULL,
      expires_at INTEGER,
      choice TEXT,
      comment TEXT,
      filled BLOB,
      decided_by TEXT,
      decided_at INTEGER
    ) STRICT;
    CREATE INDEX approvals_by_run ON approvals (run_id);
    CREATE INDEX approvals_by_user ON approvals (user_id);
    CREATE INDEX approvals_by_expiry ON approvals (expires_at) WHERE status = 'pending' AND expires_at IS NOT NULL;
    """

  /// Of version 10: when agents run without being asked.
  private static let schedules = """
    CREATE TABLE schedules (
      agent TEXT NOT NULL,
      name TEXT NOT NULL,
      due_at INTEGER NOT NULL,
      last_at INTEGER,
      last_run TEXT,
      PRIMARY KEY (agent, name)
    ) STRICT, WITHOUT ROWID;
    """

  /// Of version 11: what happened, for those who want to know. What the end of a run tells stands with the run.
  private static let events = """
    CREATE TABLE events (
      number INTEGER PRIMARY KEY AUTOINCREMENT,
      type TEXT NOT NULL,
      at INTEGER NOT NULL,
      user_id TEXT,
      run_id TEXT,
      key TEXT,
      data BLOB
    ) STRICT;
    CREATE UNIQUE INDEX events_by_key ON events (run_id, key) WHERE key IS NOT NULL;

    CREATE TABLE event_deliveries (
      name TEXT PRIMARY KEY NOT NULL,
      number INTEGER NOT NULL,
      failures INTEGER NOT NULL,
      due_at INTEGER NOT NULL,
      lease_at INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE cancellations (run_id TEXT PRIMARY KEY NOT NULL) STRICT, WITHOUT ROWID;

    CREATE TABLE agents (
      name TEXT PRIMARY KEY NOT NULL,
      created_at INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
    """

  /// Of version 12: where the message of a run stands, its answer, and the event that tells how it ended.
  private static let places = """
    ALTER TABLE runs ADD COLUMN question INTEGER;
    ALTER TABLE runs ADD COLUMN answer INTEGER;
    ALTER TABLE runs ADD COLUMN end_event INTEGER;
    UPDATE runs SET question = key FROM messages WHERE run_id = runs.id AND is_answer = 0;
    UPDATE runs SET answer = key FROM messages WHERE run_id = runs.id AND is_answer = 1;
    UPDATE runs SET end_event = number FROM events WHERE run_id = runs.id AND key IS NULL AND events.data IS NULL;
    """

  /// Of version 5: the scripts of every version, each text once; and the one decision that is in force.
  private static let versions = """
    CREATE TABLE script_texts (
      id INTEGER PRIMARY KEY,
      digest BLOB NOT NULL UNIQUE,
      text BLOB NOT NULL
    ) STRICT;

    CREATE TABLE versions (
      seq INTEGER PRIMARY KEY AUTOINCREMENT,
      id TEXT NOT NULL UNIQUE,
      loaded_at INTEGER NOT NULL,
      file_count INTEGER NOT NULL,
      changed_count INTEGER NOT NULL
    ) STRICT;

    CREATE TABLE version_files (
      version INTEGER NOT NULL REFERENCES versions (seq) ON DELETE CASCADE,
      path TEXT NOT NULL,
      text INTEGER NOT NULL REFERENCES script_texts (id),
      PRIMARY KEY (version, path)
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE deployment (
      id INTEGER PRIMARY KEY CHECK (id = 1),
      version TEXT NOT NULL,
      candidate TEXT,
      canary_percent INTEGER,
      folder TEXT NOT NULL,
      decided_at INTEGER NOT NULL
    ) STRICT;
    """

  /// Of version 4: `first_kept` is the key of the first message that is not in the summary.
  private static let summaries = """
    CREATE TABLE session_summaries (
      session INTEGER PRIMARY KEY REFERENCES sessions (id) ON DELETE CASCADE,
      text TEXT NOT NULL,
      first_kept INTEGER NOT NULL
    ) STRICT;
    """

  /// Tables of version 6: answers of turns without a session, for as long as they may be asked for once more.
  private static let loneAnswers = """
    CREATE TABLE lone_answers (
      run_id TEXT PRIMARY KEY NOT NULL,
      message_id TEXT NOT NULL,
      text TEXT NOT NULL,
      handed_out BLOB NOT NULL
    ) STRICT, WITHOUT ROWID;
    """

  /// Tables of version 2: what it takes to give a turn's answer once more.
  private static let answersByKey = """
    ALTER TABLE runs ADD COLUMN finish_reason TEXT;
    ALTER TABLE runs ADD COLUMN using_stub INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE runs ADD COLUMN data BLOB;

    CREATE TABLE idempotency_keys (
      user_id TEXT NOT NULL,
      name TEXT NOT NULL,
      digest BLOB NOT NULL,
      run_id TEXT NOT NULL,
      created_at INTEGER NOT NULL,
      PRIMARY KEY (user_id, name)
    ) STRICT;
    CREATE INDEX idempotency_keys_by_age ON idempotency_keys (created_at);
    """

  /// Of version 13. Entries are never changed, and go from the old end only; who they name may be forgotten.
  private static let audit = """
    CREATE TABLE audit_actors (
      id INTEGER PRIMARY KEY,
      user_id TEXT,
      address TEXT,
      key_id TEXT,
      salt BLOB,
      digest BLOB NOT NULL
    ) STRICT;
    CREATE UNIQUE INDEX audit_actors_by_name ON audit_actors (user_id, address, key_id) WHERE user_id IS NOT NULL;

    CREATE TABLE audit (
      number INTEGER PRIMARY KEY,
      at INTEGER NOT NULL,
      action TEXT NOT NULL,
      actor INTEGER,
      target TEXT,
      run_id TEXT,
      agent TEXT,
      version TEXT,
      detail BLOB,
      hash BLOB NOT NULL
    ) STRICT;

    CREATE TABLE audit_start (
      id INTEGER PRIMARY KEY CHECK (id = 1),
      number INTEGER NOT NULL,
      hash BLOB NOT NULL
    ) STRICT;
    INSERT INTO audit_start VALUES (1, 0, zeroblob(32));

    CREATE TRIGGER audit_stays BEFORE UPDATE ON audit BEGIN
      SELECT RAISE(ABORT, 'the audit trail is not changed');
    END;
    CREATE TRIGGER audit_ends BEFORE DELETE ON audit
    WHEN OLD.number > (SELECT number FROM audit_start) BEGIN
      SELECT RAISE(ABORT, 'the audit trail is not cut');
    END;
    """

  /// Of version 14: of a secret its SHA-256 only.
  private static let apiKeys = """
    CREATE TABLE api_keys (
      seq INTEGER PRIMARY KEY,
      id TEXT NOT NULL UNIQUE,
      hash BLOB NOT NULL,
      name TEXT NOT NULL,
      user_id TEXT NOT NULL,
      roles BLOB NOT NULL,
      agents BLOB NOT NULL,
      created_at INTEGER NOT NULL,
      expires_at INTEGER,
      revoked_at INTEGER,
      last_used_at INTEGER
    ) STRICT;
    """

  /// Of version 17: since when a user is being erased, whom they decided for, and their sessions in order; what is a
  /// tenant's: indexes that cost a row of theirs an entry, and other rows nothing.
  private static let erasure = """
    ALTER TABLE users ADD COLUMN erasing_at INTEGER;
    CREATE INDEX approvals_by_decider ON approvals (decided_by) WHERE decided_by IS NOT NULL;
    CREATE INDEX sessions_by_user ON sessions (user_id);

    CREATE INDEX events_by_tenant ON events (substr(user_id, 1, instr(user_id, '/')))
    WHERE instr(user_id, '/') > 0;
    CREATE INDEX jobs_dead_by_tenant ON jobs (substr(user_id, 1, instr(user_id, '/')), due_at)
    WHERE place = 5 AND instr(user_id, '/') > 0;

    CREATE TABLE audit_key (
      id INTEGER PRIMARY KEY CHECK (id = 1),
      key BLOB NOT NULL
    ) STRICT;

    ALTER TABLE audit ADD COLUMN tenant TEXT;
    DROP TRIGGER audit_stays;
    UPDATE audit SET tenant = substr(user_id, 1, instr(user_id, '/'))
    FROM audit_actors WHERE audit_actors.id = actor AND instr(user_id, '/') > 0;
    CREATE INDEX audit_by_tenant ON audit (tenant) WHERE tenant IS NOT NULL;
    CREATE TRIGGER audit_stays
    BEFORE UPDATE OF number, at, action, actor, target, run_id, agent, version, detail, hash ON audit BEGIN
      SELECT RAISE(ABORT, 'the audit trail is not changed');
    END;
    """

  /// Of version 18: messages that came by messengers. `state` is who answers: `received` the reply to the messenger's
  /// request, `late` whoever takes it when it is due, `waiting` whoever does when its run has ended. Once it is
  /// `answered`, what it takes to know it again is left.
  private static let channelMessages = """
    CREATE TABLE channel_messages (
      channel TEXT NOT NULL,
      id TEXT NOT NULL,
      user_id TEXT NOT NULL,
      received_at INTEGER NOT NULL,
      state TEXT NOT NULL,
      message BLOB,
      texts TEXT,
      sent INTEGER NOT NULL DEFAULT 0,
      failures INTEGER NOT NULL DEFAULT 0,
      run_id TEXT,
      due_at INTEGER,
      PRIMARY KEY (channel, id)
    ) STRICT;
    CREATE INDEX channel_messages_due ON channel_messages (due_at) WHERE due_at IS NOT NULL;
    CREATE INDEX channel_messages_by_user ON channel_messages (user_id);
    CREATE INDEX channel_messages_by_age ON channel_messages (received_at);
    """

  /// Of version 20: what people think of runs, each once of a run. The last index holds all that sums need.
  private static let feedback = """
    CREATE TABLE feedback (
      seq INTEGER PRIMARY KEY AUTOINCREMENT,
      run_id TEXT NOT NULL,
      user_id TEXT NOT NULL,
      agent TEXT NOT NULL,
      version TEXT NOT NULL,
      score REAL NOT NULL,
      comment TEXT,
      at INTEGER NOT NULL,
      UNIQUE (run_id, user_id)
    ) STRICT;
    CREATE INDEX feedback_by_user ON feedback (user_id);
    CREATE INDEX feedback_by_version ON feedback (agent, version, user_id, at, score);
    """

  /// Of version 8: see `JobRow.Place` for what `place` means, and what `due_at` means in each.
  private static let jobs = """
    CREATE TABLE jobs (
      seq INTEGER PRIMARY KEY AUTOINCREMENT,
      id TEXT NOT NULL UNIQUE,
      place INTEGER NOT NULL,
      due_at INTEGER NOT NULL,
      user_id TEXT NOT NULL,
      priority INTEGER NOT NULL,
      key TEXT,
      attempt INTEGER NOT NULL DEFAULT 0,
      failures INTEGER NOT NULL DEFAULT 0,
      run_id TEXT,
      action TEXT NOT NULL,
      publisher TEXT NOT NULL,
      published_at INTEGER NOT NULL,
      user BLOB NOT NULL,
      payload BLOB NOT NULL,
      failure BLOB
    ) STRICT;
    CREATE INDEX jobs_by_place ON jobs (place, due_at);
    CREATE INDEX jobs_ready ON jobs (user_id, priority DESC, seq) WHERE place = 0;
    CREATE INDEX jobs_by_key ON jobs (user_id, key, seq) WHERE key IS NOT NULL AND place < 4;

    CREATE TABLE job_turns (
      id INTEGER PRIMARY KEY CHECK (id = 1),
      user_id TEXT NOT NULL
    ) STRICT;
    INSERT INTO job_turns VALUES (1, '');
    """
}
