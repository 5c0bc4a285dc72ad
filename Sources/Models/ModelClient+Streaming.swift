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
  /// - Throws: ``ProviderFailure``, or `CancellationError`.
  func streamOnce(_ exchange: Exchange, onText: @Sendable (String) -> Void) async throws -> ReplyAssembly {
    let provider = exchange.provider
    do {
      let stream = try await client.stream(exchange.streamedRequest)
      guard stream.status == 200, stream.headers["content-type"]?.contains("event-stream") ?? false else {
        // A refusal, or a server that does not stream.
        let reply = try await assembly(of: stream, provider: provider)
        if !reply.text.isEmpty, !reply.hasNamelessCall { onText(reply.text) }
        return reply
      }
      return try await read(stream, provider: provider, onText: onText)
    } catch let failure as TransportError {
      throw ProviderFailure(failure, provider: provider)
    }
  }

  private func assembly(of stream: HTTPStream, provider: Provider) async throws -> ReplyAssembly {
    var body: [UInt8] = []
    for try await piece in stream { body += piece }
    return try ReplyAssembly(
      HTTPResponse(status: stream.status, headers: stream.headers, body: body, url: stream.url),
      provider: provider, now: time.now)
  }

  private func read(
    _ stream: HTTPStream, provider: Provider, onText: @Sendable (String) -> Void
  ) async throws -> ReplyAssembly {
    var events = ServerSentEvents()
    let assembly = ReplyAssembly()
    do {
      while !assembly.isDone, let piece = try await stream.next() {
        for event in events.decode(piece) {
          try read(event, of: stream, into: assembly, provider: provider, onText: onText)
        }
      }
      if let event = events.finish() {
        try read(event, of: stream, into: assembly, provider: provider, onText: onText)
      }
    } catch let failure as TransportError where assembly.text.isEmpty {
      throw ProviderFailure(failure, provider: provider)
    } catch let failure as ProviderFailure where assembly.text.isEmpty {
      throw failure
    } catch let error as CancellationError {
      throw error
    } catch {
      assembly.isInterrupted = true
    }
    if assembly.isComplete {
      stream.discardRest()
    } else if assembly.text.isEmpty {
      throw ProviderFailure(
        TransportError(.broken, "the stream ended without an end", mayHaveBeenSent: true), provider: provider)
    } else {
      assembly.isInterrupted = true
    }
    if assembly.hasNamelessCall, !assembly.text.isEmpty { assembly.isInterrupted = true }
    return assembly
  }

  private func read(
    _ event: [UInt8], of stream: HTTPStream, into assembly: ReplyAssembly, provider: Provider,
    onText: @Sendable (String) -> Void
  ) throws(ProviderFailure) {
    if event == Array("[DONE]".utf8) {
      assembly.isDone = true
      return
    }
    // What is no JSON is passed over: some proxies mix in words of their own.
    guard let chunk = try? JSON(parsing: event) else { return }
    try ReplyAssembly.checkForError(
      in: chunk, body: event, headers: stream.headers, provider: provider, now: time.now)
    let text = assembly.read(chunk: chunk)
    if !text.isEmpty { onText(text) }
  }
}

/// One request to one provider, for as long as its retries last.
struct Exchange {
  let provider: Provider
  let body: HTTPBody
  /// What is left of the run's time.
  let remaining: Duration

  private var attempt: Duration { .seconds(provider.configuration.timeoutSeconds) }

  var wholeRequest: HTTPRequest { provider.request(body, timeout: min(remaining, attempt)) }

  /// An answer may take as long as the run, as long as it does not stall.
  var streamedRequest: HTTPRequest {
    var request = provider.request(body, timeout: remaining)
    request.idleTimeout = attempt
    return request
  }
}
