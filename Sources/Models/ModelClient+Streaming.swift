// SPDX-License-Identifier: Apache-2.0
import Core
import JSONCodec
import Transport

extension ModelClient {
  /// Asks once and tells the answer as it comes.
  ///
  /// A stream that breaks after its first text is an interrupted answer, not a failure: what was told cannot
  /// be taken back, so nobody may ask again.
  ///
  /// - Throws: ``ProviderFailure``, `TransportError` or `CancellationError`.
  func streamOnce(
    _ exchange: Exchange, _ attempt: Attempt, onText: TextListener
  ) async throws -> ReplyAssembly {
    let stream = try await client.stream(exchange.streamedRequest(within: attempt.remaining))
    attempt.learn(stream.headers)
    guard stream.status == 200, stream.headers["content-type"]?.holds("event-stream") ?? false else {
      // A refusal, or a server that does not stream.
      let reply = try await whole(stream, of: exchange)
      if !reply.text.isEmpty, !reply.hasNamelessCall {
        try attempt.claim?.begin()
        await onText([reply.text])
      }
      return reply
    }
    return try await read(stream, of: exchange, attempt.claim, onText: onText)
  }

  private func whole(_ stream: HTTPStream, of exchange: Exchange) async throws -> ReplyAssembly {
    var body: [UInt8] = []
    for try await piece in stream { body += piece }
    return try exchange.read(
      HTTPResponse(status: stream.status, headers: stream.headers, body: body, url: stream.url),
      now: time.now)
  }

  private func read(
    _ stream: HTTPStream, of exchange: Exchange, _ claim: AnswerClaim?, onText: TextListener
  ) async throws -> ReplyAssembly {
    var reading = StreamReading(exchange: exchange, headers: stream.headers, claim: claim)
    do {
      while !reading.assembly.isDone, let piece = try await stream.next() {
        try await reading.take(piece, now: time.now, onText: onText)
      }
      try await reading.end(now: time.now, onText: onText)
    } catch let error as CancellationError {
      throw error
    } catch  where reading.assembly.isComplete {
      // It broke behind the answer's end.
    } catch  where reading.hasTold {
      reading.assembly.isInterrupted = true
    } catch {
      let failure =
        (error as? TransportError).map { ProviderFailure($0, provider: exchange.provider) }
        ?? error as? ProviderFailure
      throw failure?.after(reading.assembly.part) ?? error
    }
    let assembly = reading.assembly
    if assembly.isComplete {
      stream.discardRest()
    } else if !reading.hasTold {
      let broken = TransportError(.broken, "the stream ended without an end", mayHaveBeenSent: true)
      throw ProviderFailure(broken, provider: exchange.provider).after(assembly.part)
    } else {
      assembly.isInterrupted = true
    }
    if assembly.hasNamelessCall, reading.hasTold { assembly.isInterrupted = true }
    return assembly
  }
}

/// A stream that is being read: its events become a reply.
private struct StreamReading {
  let exchange: Exchange
  let headers: HTTPHeaders
  let assembly: ReplyAssembly
  private let claim: AnswerClaim?
  private(set) var hasTold = false
  private var events = ServerSentEvents()
  private var chunks: TextChunks?

  init(exchange: Exchange, headers: HTTPHeaders, claim: AnswerClaim?) {
    self.exchange = exchange
    self.headers = headers
    self.claim = claim
    assembly = exchange.provider.dialect.assembly(for: exchange.request)
    chunks = exchange.provider.dialect.textChunks()
  }

  mutating func take(_ piece: [UInt8], now: Timestamp, onText: TextListener) async throws {
    let decoded: [ServerSentEvents.Event]
    do {
      decoded = try events.decode(piece)
    } catch {
      throw exchange.provider.badReply("sent an event without an end", [])
    }
    try await tell(decoded, now: now, onText: onText)
  }

  mutating func end(now: Timestamp, onText: TextListener) async throws {
    if let event = (try? events.finish()) ?? nil { try await tell([event], now: now, onText: onText) }
  }

  /// Tells at once what came at once: whoever listens is woken once for it.
  ///
  /// - Throws: ``ProviderFailure``, or `CancellationError` when another request answers in its place.
  private mutating func tell(
    _ events: [ServerSentEvents.Event], now: Timestamp, onText: TextListener
  ) async throws {
    var texts: [String] = []
    var fault: ProviderFailure?
    for event in events {
      do throws(ProviderFailure) {
        let text = try read(event.data, now: now)
        if !text.isEmpty { texts.append(text) }
      } catch {
        fault = error
        break
      }
    }
    if let claim, assembly.hasBegun { try claim.begin() }
    if !texts.isEmpty {
      hasTold = true
      await onText(texts)
    }
    if let fault { throw fault }
  }

  /// - Returns: The text that the event adds.
  private mutating func read(_ event: [UInt8], now: Timestamp) throws(ProviderFailure) -> String {
    if event == Self.done {
      assembly.isDone = true
      return ""
    }
    if let text = chunks?.text(of: event) {
      assembly.text += text
      return text
    }
    // What is no JSON is passed over: some proxies mix in words of their own.
    guard let json = try? JSON(parsing: event) else { return "" }
    try exchange.provider.checkForFault(in: json, body: event, headers: headers, now: now)
    return exchange.provider.dialect.read(event: json, into: assembly)
  }

  private static let done = Array("[DONE]".utf8)
}
