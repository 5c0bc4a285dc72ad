// SPDX-License-Identifier: Apache-2.0
import Core
import JSONCodec
import Synchronization
import Transport

/// One message to a server, and what comes of it, over as many connections as it takes.
final class RemoteTurn: Sendable {
  private struct State {
    /// Known as soon as it has begun.
    var runID: String?
    var isCancelled = false
    var isOver = false
    /// The wait between two attempts.
    var pause: Task<Void, Never>?
  }

  private enum Outcome {
    case ended(usingStub: Bool)
    case lost
    /// Nothing stands in the way of the next attempt.
    case again
  }

  private let server: RemoteServer
  private let request: HTTPRequest
  private let patience: Duration
  private let transcript: Transcript
  private let onSession: @Sendable (String) -> Void
  private let time = SystemTime()
  private let state = Mutex(State())

  init(
    _ server: RemoteServer, agent: String, message: String, sessionID: String?, patience: Duration,
    transcript: Transcript, onSession: @escaping @Sendable (String) -> Void
  ) {
    var body = JSONObject([("message", .string(message)), ("stream", true), ("detach", true)])
    if let sessionID { body.append("session_id", .string(sessionID)) }
    // Sent again it is the same message, to the letter.
    request = server.messageRequest(
      agent: agent, body: RawJSON(.object(body)).bytes, key: Identifier.randomUUID())
    self.server = server
    self.patience = patience
    self.transcript = transcript
    self.onSession = onSession
  }

  /// Says the message and shows what happens until the turn has ended.
  ///
  /// - Returns: Whether the agent's stub answered.
  /// - Throws: ``Failure`` when the turn failed; ``CommandError`` when the server is lost or is none of ours.
  func complete() async throws -> Bool {
    defer { state.withLock { $0.isOver = true } }
    var progress = TurnProgress()
    var backoff = Backoff(limit: patience)
    while true {
      let start = time.elapsed
      switch try await attempt(&progress, isFirst: backoff.waits == 0, onEvent: { backoff.reset() }) {
      case .ended(let usingStub): return usingStub
      case .again: continue
      case .lost:
        // One that has only waited in between has not failed all the time.
        if time.elapsed - start > .seconds(10) { backoff.reset() }
        try await pause(&backoff, progress)
      }
    }
  }

  /// Cancels the run, at once or as soon as it has begun.
  func cancel() {
    let (runID, pause) = state.withLock { state in
      state.isCancelled = true
      return (state.runID, state.pause)
    }
    if let runID {
      Task { await sendCancel(runID) }
    } else {
      transcript.note("the run is cancelled as soon as it begins; Ctrl-C again waits no longer")
      pause?.cancel()
    }
  }
}

extension RemoteTurn {
  private func attempt(
    _ progress: inout TurnProgress, isFirst: Bool, onEvent: () -> Void
  ) async throws -> Outcome {
    let next = progress.nextRequest()
    // Sent again it would be done again.
    if next == .message, state.withLock({ $0.isCancelled }) { throw Failure(CancellationError()) }
    do {
      switch next {
      case .events(let runID, let number):
        let stream = try await server.client.stream(server.eventsRequest(ofRun: runID, after: number))
        // 404: the server came back without this run.
        guard stream.status != 409, stream.status != 404 else {
          stream.discardRest()
          progress.loseEvents()
          return .again
        }
        return try await read(stream, &progress, isFirst: isFirst, onEvent: onEvent)
      case .message:
        let stream = try await server.client.stream(request)
        if stream.status == 200 { progress.sent() }
        return try await read(stream, &progress, isFirst: isFirst, onEvent: onEvent)
      }
    } catch let error as TransportError {
      if next == .message, error.mayHaveBeenSent { progress.sent() }
      switch error.kind {
      case .connect, .timeout, .broken: return .lost
      default: throw CommandError(message: "\(server.origin): \(error.message)")
      }
    }
  }

  private func read(
    _ stream: HTTPStream, _ progress: inout TurnProgress, isFirst: Bool, onEvent: () -> Void
  ) async throws -> Outcome {
    guard stream.status == 200 else {
      var body: [UInt8] = []
      for try await piece in stream { body += piece }
      let failure = Failure(stream.status, body)
      // What stands before a server that comes back answers for it until then.
      let isAbsent = (502...504).contains(stream.status) && [.upstream, .shuttingDown].contains(failure.code)
      if isAbsent, !isFirst { return .lost }
      throw failure
    }
    var events = ServerSentEvents()
    while let piece = try await stream.next() {
      for event in try decode(piece, &events) {
        onEvent()
        for step in progress.take(event) {
          if let usingStub = try act(on: step) {
            stream.discardRest()
            return .ended(usingStub: usingStub)
          }
        }
      }
    }
    return .lost
  }

  private func decode(
    _ piece: [UInt8], _ events: inout ServerSentEvents
  ) throws(CommandError) -> [ServerSentEvents.Event] {
    do {
      return try events.decode(piece)
    } catch {
      throw CommandError(message: "\(server.origin) sent an event without an end")
    }
  }

  /// Whether the stub answered, once the turn has ended.
  private func act(on step: TurnProgress.Step) throws(Failure) -> Bool? {
    switch step {
    case .show(.started(let runID, let sessionID)):
      begin(runID)
      onSession(sessionID)
    case .show(let event): transcript.show(event)
    case .beganAnew: transcript.note("the server began anew:", endsText: true)
    case .answered(let usingStub): return usingStub
    case .failed(let failure): throw failure
    }
    return nil
  }

  private func begin(_ runID: String) {
    let isCancelled = state.withLock { state in
      // Sent again the message has the same run, whose cancellation is on its way.
      defer { state.runID = runID }
      return state.isCancelled && state.runID == nil
    }
    if isCancelled { Task { await sendCancel(runID) } }
  }

  /// Waits before the next attempt.
  private func pause(_ backoff: inout Backoff, _ progress: TurnProgress) async throws {
    try refuseIfNotBegun(progress)
    let isFirst = backoff.waits == 0
    guard let wait = backoff.wait(now: time.elapsed, random: .random(in: 0...1)) else {
      let session = progress.sessionID.map { "go on later with --session \($0)" }
      throw CommandError(
        message:
          "the connection to \(server.origin) was lost and did not come back within \(patience.components.seconds) s",
        hint: session, status: .bad)
    }
    if isFirst { transcript.note("connection lost, trying again…") }
    let pause = Task { _ = try? await Task.sleep(for: wait) }
    state.withLock { $0.pause = pause }
    await pause.value
    try refuseIfNotBegun(progress)
  }

  /// A message that is taken back is not sent again.
  private func refuseIfNotBegun(_ progress: TurnProgress) throws(Failure) {
    guard progress.runID != nil || !state.withLock({ $0.isCancelled }) else {
      throw Failure(.cancelled, "the server was lost before the run began; it may answer all the same")
    }
  }

  /// Tells the server, for as long as it takes.
  private func sendCancel(_ runID: String) async {
    var backoff = Backoff(limit: patience)
    while !state.withLock({ $0.isOver }) {
      // Any answer will do: accepted, or over already.
      if (try? await server.client.send(server.cancelRequest(ofRun: runID))) != nil { return }
      guard let wait = backoff.wait(now: time.elapsed, random: .random(in: 0...1)) else { return }
      _ = try? await Task.sleep(for: wait)
    }
  }
}

extension Failure.Code {
  /// As the server says it while it drains.
  fileprivate static let shuttingDown = Failure.Code(rawValue: "shutting_down")
}
