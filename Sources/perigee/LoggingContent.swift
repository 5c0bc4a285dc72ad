// SPDX-License-Identifier: Apache-2.0
import Core
import JSONCodec
import Logging
import Models
import ServiceLifecycle
import Storage

/// Logs what was said in runs that have ended: messages, and what tools got and gave.
///
/// All of it is read from what people get to see of the run later, as guardrails left it, and secrets are blotted.
final class ContentLog: Sendable {
  let runs: EndedRuns<String>
  private let blotter: SecretBlotter
  private let logger: Logger

  init(blotter: SecretBlotter, time: SystemTime, logger: Logger) {
    runs = EndedRuns(time: time)
    self.blotter = blotter
    self.logger = logger
  }

  func tell(ofRun id: String, _ store: SQLiteStore) async {
    do {
      let run = try await store.run(id: id, visibleTo: .everyone)
      var metadata: Logger.Metadata = [
        "run": "\(id)", "agent": "\(run.agent)", "version": "\(run.version)", "user": "\(run.userID)",
      ]
      if let session = run.sessionID { metadata["session"] = "\(session)" }
      // Of a turn without a session, and of a job, there is none.
      let kept = try? await store.keptRun(
        id: id, visibleTo: .everyone, historyMessages: 0, wantsSummary: false)
      if let kept, kept.isMessageChecked { message("user", kept.run.message, metadata) }
      for step in try await store.steps(ofRuns: [id], userID: run.userID)[id] ?? [] {
        if !step.text.isEmpty { message("assistant", step.text, metadata) }
        for call in step.calls { tool(call, metadata) }
      }
      if let answer = kept?.answer { message("assistant", answer, metadata) }
    } catch {
      logger.warning("what was said in a run cannot be read: \(error)", metadata: ["run": "\(id)"])
    }
  }

  private func message(_ role: String, _ content: String, _ metadata: Logger.Metadata) {
    logger.info(
      "message",
      metadata: metadata.merging(["role": "\(role)", "content": .string(blotter.blot(content))]) { $1 })
  }

  private func tool(_ call: ToolCall, _ metadata: Logger.Metadata) {
    var metadata = metadata
    metadata["tool"] = .string(call.name)
    metadata["arguments"] = .string(blotter.blot(call.arguments.text))
    switch call.outcome {
    case .result(let result): metadata["result"] = .string(blotter.blot(result.text))
    case .failed(let failure): metadata["failure"] = .string(blotter.blot(failure.description))
    }
    logger.info("tool called", metadata: metadata)
  }
}

/// Logs what was said for as long as the other services work.
struct LoggingContent: Service {
  let log: ContentLog
  let store: SQLiteStore

  func run() async {
    await withGracefulShutdownHandler {
      await log.runs.read { await log.tell(ofRun: $0, store) }
      // A service that returns would end the others.
      try? await gracefulShutdown()
    } onGracefulShutdown: {
      log.runs.stop()
    }
  }
}
