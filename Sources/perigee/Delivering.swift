// SPDX-License-Identifier: Apache-2.0
import Core
import Crypto
import FoundationEssentials
import JSONCodec
import Logging
import Metrics
import ServiceLifecycle
import Settings
import Storage
import Transport

/// Tells the addresses of `events.webhooks` what happened, each in order and until it has it.
struct Delivering: Service {
  let host: Host
  let logger: Logger
  private let webhooks: [EventWebhook]

  /// - Throws: ``CommandError`` for a webhook that cannot be told anything, ``ConfigurationError`` for its secret.
  init(host: Host, environment: [String: String], logger: Logger) throws {
    self.host = host
    self.logger = logger
    webhooks = try host.configuration.events.webhooks.sorted { $0.key < $1.key }.map {
      try EventWebhook($0.key, $0.value, environment: environment)
    }
  }

  func run() async throws {
    await cancelWhenGracefulShutdown {
      await withDiscardingTaskGroup { group in
        for webhook in webhooks { group.addTask { await deliver(to: webhook) } }
      }
    }
    // A service that returns would end the others.
    try? await gracefulShutdown()
  }

  /// Other processes keep events, too.
  private static let lookInterval = Duration.seconds(1)
  /// Of one look.
  private static let batch = 100

  private func deliver(to webhook: EventWebhook) async {
    let (wakes, wake) = AsyncStream<Void>.makeStream(bufferingPolicy: .bufferingNewest(1))
    let listener = host.store.eventBell.add { wake.yield() }
    defer { host.store.eventBell.remove(listener) }
    await withDiscardingTaskGroup { group in
      group.addTask {
        while !Task.isCancelled {
          wake.yield()
          try? await host.time.sleep(for: Self.lookInterval)
        }
        wake.finish()
      }
      var passed: Int64 = 0
      for await _ in wakes {
        do {
          while try await deliverBatch(to: webhook, passed: &passed) {}
        } catch is CancellationError {
        } catch {
          logger.error("the webhook cannot be told: \(error)", metadata: ["webhook": "\(webhook.name)"])
        }
      }
      group.cancelAll()
    }
  }

  /// - Parameter passed: The last event that the filter did not want; nothing is written for those.
  /// - Returns: Whether there may be more.
  private func deliverBatch(to webhook: EventWebhook, passed: inout Int64) async throws -> Bool {
    let store = host.store
    var delivery = try await store.delivery(to: webhook.name)
    guard delivery.dueAt <= host.time.now else { return false }
    let number = max(delivery.number, passed)
    let (events, last) = try await store.events(after: number, webhook.filter, limit: Self.batch)
    guard let latest = events.last else {
      passed = last
      return last > number
    }
    var lease = leaseEnd(webhook)
    guard try await store.takeDelivery(delivery, until: lease, at: host.time.now) else { return false }
    for event in events {
      let problem = Task.isCancelled ? nil : await tell(webhook, event)
      if Task.isCancelled {
        // It is told again at the next start, which is no fault of the receiver's.
        _ = try await store.keepDelivery(delivery, heldUntil: lease, next: nil)
        return false
      }
      if let problem {
        delivery.failures += 1
        if delivery.failures < EventWebhook.attemptsMax {
          delivery.dueAt = host.time.now + EventWebhook.wait(after: delivery.failures)
          report("failed", webhook, event, "it is told again: \(problem)", .warning)
          _ = try await store.keepDelivery(delivery, heldUntil: lease, next: nil)
          return false
        }
        report("given_up", webhook, event, "it is told no more of this event: \(problem)", .error)
      }
      delivery.number = event.number
      delivery.failures = 0
      let next = event == latest ? nil : leaseEnd(webhook)
      // Another server tells the rest when this one was slow.
      guard try await store.keepDelivery(delivery, heldUntil: lease, next: next) else { return false }
      if let next { lease = next }
    }
    return true
  }

  /// Long enough for one event: should this process stop, another goes on then.
  private func leaseEnd(_ webhook: EventWebhook) -> Timestamp {
    host.time.now + webhook.timeout + .seconds(5)
  }

  private func report(
    _ outcome: String, _ webhook: EventWebhook, _ event: KeptEvent, _ text: String, _ level: Logger.Level
  ) {
    logger.log(
      level: level, "a webhook was not told: \(text)",
      metadata: ["webhook": "\(webhook.name)", "event": "\(event.number)", "type": "\(event.event.type)"])
    count(outcome, webhook)
  }

  private func count(_ outcome: String, _ webhook: EventWebhook) {
    Counter(
      label: "perigee_event_deliveries_total", dimensions: [("webhook", webhook.name), ("outcome", outcome)]
    ).increment()
  }

  /// - Returns: What went wrong; `nil` = it has it.
  private func tell(_ webhook: EventWebhook, _ event: KeptEvent) async -> String? {
    do {
      let response = try await host.client.send(webhook.request(event, at: host.time.now))
      guard (200..<300).contains(response.status) else { return "it answered \(response.status)" }
      count("delivered", webhook)
      return nil
    } catch {
      return Task.isCancelled ? "the server stops" : "\(Failure(error).message)"
    }
  }
}

/// An address that is told what happened.
///
/// Source of the headers and the signature: standardwebhooks.com, version 1.
struct EventWebhook: Sendable {
  let name: String
  let url: String
  let filter: EventFilter
  let timeout: Duration
  private let secret: Secret?

  init(
    _ name: String, _ configuration: Configuration.EventWebhook, environment: [String: String]
  ) throws {
    self.name = name
    url = configuration.url
    timeout = configuration.timeout
    do {
      filter = try EventFilter(types: configuration.types)
    } catch {
      throw CommandError(
        message: "events.webhooks.\(name).types: \(error.message)", hint: "see docs/events.md")
    }
    secret = try Configuration.secret(
      env: configuration.secretEnv, file: configuration.secretFile, environment: environment)
    if secret == nil, let variable = configuration.secretEnv ?? configuration.secretFile {
      throw CommandError(
        message: "the secret of events.webhooks.\(name) is not set (\(variable))",
        hint: "set it, or leave secret_env out, and nothing is signed")
    }
  }

  /// With the waits between them 4 to 8 hours.
  static let attemptsMax = 20
  private static let waitMax = Duration.seconds(3600)

  /// Half of a bound that doubles, and by chance up to all of it.
  static func wait(after failures: Int) -> Duration {
    let bound = min(Duration.seconds(1) * (1 << min(failures - 1, 12)), waitMax)
    return bound * Double.random(in: 0.5...1)
  }

  func request(_ event: KeptEvent, at now: Timestamp) -> HTTPRequest {
    let id = "evt_\(event.number)"
    let time = String(now.milliseconds / 1000)
    let body = event.json.bytes
    var headers = [
      (name: "Content-Type", value: "application/json"),
      (name: "User-Agent", value: "perigee/\(Perigee.version)"),
      (name: "webhook-id", value: id), (name: "webhook-timestamp", value: time),
    ]
    if let secret {
      let code = HMAC<SHA256>.authenticationCode(
        for: Array("\(id).\(time).".utf8) + body, using: SymmetricKey(data: Self.key(of: secret)))
      headers.append((name: "webhook-signature", value: "v1," + Data(code).base64EncodedString()))
    }
    return HTTPRequest(
      method: "POST", url: url, headers: headers, body: body, timeout: timeout, responseBytesMax: 64 << 10,
      isIdempotent: true)
  }

  /// Bytes that sign: those that `whsec_` writes in base 64, or the text itself.
  private static func key(of secret: Secret) -> Data {
    let text = secret.reveal()
    if text.hasPrefix("whsec_"), let data = Data(base64Encoded: String(text.dropFirst(6))) { return data }
    return Data(text.utf8)
  }
}
