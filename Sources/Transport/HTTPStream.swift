// SPDX-License-Identifier: Apache-2.0

/// A response whose body is read as it comes; the server is slowed down to the reader's pace.
///
/// One task reads. Cancelling it, or letting go of the stream, closes the request at once.
public final class HTTPStream: Sendable, AsyncSequence {
  struct Head: Sendable {
    let status: Int
    let headers: HTTPHeaders
  }

  public let status: Int
  public let headers: HTTPHeaders
  /// Where the response came from, after redirects.
  public let url: String

  private let pipe: BodyPipe
  private let transfer: Transfer
  /// Holds the loop thread for as long as there is something to read.
  private let client: HTTPClient

  init(_ head: Head, pipe: BodyPipe, transfer: Transfer, client: HTTPClient) {
    status = head.status
    headers = head.headers
    url = transfer.url.text
    self.pipe = pipe
    self.transfer = transfer
    self.client = client
  }

  deinit {
    if !pipe.isDiscarding { client.mailbox.post(.cancel(transfer)) }
  }

  /// Bytes that have come since the last call, waiting for some; `nil` at the end of the body.
  ///
  /// - Throws: ``TransportError``, or `CancellationError` when the task is cancelled.
  public func next() async throws -> [UInt8]? {
    while true {
      if Task.isCancelled {
        close()
        throw CancellationError()
      }
      switch try pipe.take() {
      case .bytes(let bytes, let wasPaused):
        if wasPaused { client.mailbox.post(.resume(transfer)) }
        return bytes
      case .end: return nil
      case .nothingYet:
        await withTaskCancellationHandler {
          await pipe.wait()
        } onCancel: {
          close()
        }
      }
    }
  }

  /// Closes the request; a reader gets `CancellationError`.
  public func close() {
    pipe.finish(CancellationError())
    client.mailbox.post(.cancel(transfer))
  }

  /// Lets the rest of the body come unread, within the limits of the request, so that the connection is kept.
  public func discardRest() {
    if pipe.discard() { client.mailbox.post(.resume(transfer)) }
  }

  public func makeAsyncIterator() -> Iterator { Iterator(stream: self) }

  public struct Iterator: AsyncIteratorProtocol {
    fileprivate let stream: HTTPStream
    public func next() async throws -> [UInt8]? { try await stream.next() }
  }
}
