// SPDX-License-Identifier: Apache-2.0
import Core
import Logging
import Server
import ServiceLifecycle
import Storage
import Transport

/// Sends what people who write by messengers are answered later than the reply to their message waits.
struct Answering: Service {
  let host: Host
  let channels: Channels
  let logger: Logger

  /// Another process may have put something off.
  private static let lookInterval = Duration.seconds(1)
  /// Of one look.
  private static let batch = 100
  private static let timeout = Duration.seconds(10)
  /// Whose process is gone is taken by another after it.
  private static let lease = Duration.seconds(30)

  func run() async throws {
    if host.lease?.isFirst == true {
      await trying { try await host.store.releaseAnswers(at: host.time.now) }
    }
    let (looks, look) = AsyncStream<Look>.makeStream(bufferingPolicy: .bufferingNewest(1))
    let listener = host.store.answerBell.add { look.yield(.all) }
    defer { host.store.answerBell.remove(listener) }
    await withDiscardingTaskGroup { group in
      group.addTask {
        await cancelWhenGracefulShutdown {
          while !Task.isCancelled {
            look.yield(.all)
            try? await host.time.sleep(for: Self.lookInterval)
          }
        }
        // The server has stopped by now. What its last turns said is sent, too, and no sending is cut off.
        await channels.settle()
        look.yield(.said)
        look.finish()
      }
      for await wanted in looks {
        await trying {
          let due = try await host.store.dueAnswers(at: host.time.now, limit: Self.batch)
          if due.count == Self.batch, wanted == .all { look.yield(.all) }
          for answer in due where wanted == .all || answer.work.isSaid {
            guard try await host.store.take(answer, until: host.time.now + Self.lease) else { continue }
            // Its turn is under way here, and waits for others.
            if answer.work == .begin, channels.isUnderWay(answer.message.key) { continue }
            group.addTask { await trying { try await attend(to: answer) } }
          }
        }
      }
    }
  }

  /// For what is looked.
  private enum Look {
    case all
    /// What needs to be sent only: no turn begins any more.
    case said
  }

  private func trying(_ body: () async throws -> Void) async {
    do {
      try await body()
    } catch {
      logger.error("late answers cannot be sent: \(error)")
    }
  }

  private func attend(to due: DueAnswer) async throws {
    if case .send(let texts, let sent) = due.work {
      try await send(texts, after: sent, due)
    } else {
      try await channels.word(due)
    }
  }

  private func send(_ texts: [String], after sent: Int, _ due: DueAnswer) async throws {
    let key = due.message.key
    // One that is off now may be on at the next look.
    guard let channel = channels[key.channel] else { return }
    for (index, text) in texts.enumerated() {
      if let problem = await send(text, by: channel, to: due.message) {
        return try await fail(problem, channel, due)
      }
      channels.count("sent", channel)
      let now = host.time.now
      try await host.store.sent(sent + index + 1, of: key, dueAt: now + Self.lease, at: now)
    }
  }

  private struct Problem {
    var message: String
    var isFinal = false
  }

  /// - Returns: What went wrong; `nil` = the messenger has it.
  private func send(
    _ text: String, by channel: any MessageChannel, to message: ChannelMessage
  ) async -> Problem? {
    let request = channel.sending(text, to: message.address)
    do {
      let response = try await host.client.send(
        HTTPRequest(
          method: "POST", url: request.url, headers: request.headers, body: request.body,
          timeout: Self.timeout, responseBytesMax: 64 << 10))
      if (200..<300).contains(response.status) { return nil }
      // The rest of these tell of the receiver, who stays what they are.
      let isFinal = (400..<500).contains(response.status) && ![401, 408, 429].contains(response.status)
      return Problem(message: "it answered \(response.status)", isFinal: isFinal)
    } catch {
      return Problem(message: (error as? TransportError)?.message ?? Failure(error).message)
    }
  }

  private func fail(_ problem: Problem, _ channel: any MessageChannel, _ due: DueAnswer) async throws {
    let isOver = problem.isFinal || due.failures + 1 >= EventWebhook.attemptsMax
    channels.count(isOver ? "given_up" : "failed", channel)
    logger.log(
      level: isOver ? .error : .warning,
      "an answer was not sent, and is \(isOver ? "given up" : "sent again"): \(problem.message)",
      metadata: Channels.metadata(due.message.key))
    let retryAt = isOver ? nil : host.time.now + EventWebhook.wait(after: due.failures + 1)
    try await host.store.failed(due.message.key, retryAt: retryAt)
  }
}

extension DueAnswer.Work {
  fileprivate var isSaid: Bool { if case .send = self { true } else { false } }
}
