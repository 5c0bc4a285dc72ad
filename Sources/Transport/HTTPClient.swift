// SPDX-License-Identifier: Apache-2.0
import Glibc
import Synchronization

/// Everything that goes out over HTTP, on one thread.
///
/// Connections are kept and shared by all requests; to TLS hosts that speak it, over HTTP/2. Nothing is
/// retried, but an idempotent request moves to a new connection when a kept one turns out to be closed.
public final class HTTPClient: Sendable {
  public struct Configuration: Sendable {
    /// Connections kept for reuse, about; below the concurrency of requests they are closed and opened all the time.
    public var idleConnectionsMax: Int
    /// 0 = no limit; requests beyond it wait.
    public var connectionsPerHostMax: Int
    /// After it the connections of a peak are closed which the requests that come now do not need.
    public var idleTime: Duration
    public var userAgent: String
    /// Whether `https_proxy` and its like count, for requests without an egress policy.
    public var usesEnvironmentProxy: Bool
    /// PEM file of the authorities to trust, `SSL_CERT_FILE` of the environment unless said; `nil` = the system's.
    public var certificateFile: String?

    public init(
      idleConnectionsMax: Int = 8192, connectionsPerHostMax: Int = 0, idleTime: Duration = .seconds(60),
      userAgent: String = "perigee",
      usesEnvironmentProxy: Bool = true, certificateFile: String? = Self.trustedFile
    ) {
      self.idleConnectionsMax = idleConnectionsMax
      self.connectionsPerHostMax = connectionsPerHostMax
      self.idleTime = idleTime
      self.userAgent = userAgent
      self.usesEnvironmentProxy = usesEnvironmentProxy
      self.certificateFile = certificateFile
    }

    /// As OpenSSL reads it; libcurl does not. An empty one names no file.
    public static var trustedFile: String? {
      getenv("SSL_CERT_FILE").map { String(cString: $0) }.flatMap { $0.isEmpty ? nil : $0 }
    }
  }

  let mailbox: Mailbox
  /// The host's own, which are the same each time.
  private let knownURLs = Mutex<[String: HTTPURL]>([:])
  private static let knownURLsMax = 64
  private let thread: LoopThread

  /// Starts the thread.
  ///
  /// - Throws: ``TransportError`` `closed` when the system has no thread or file descriptor left.
  public init(configuration: Configuration = Configuration()) throws(TransportError) {
    mailbox = try Mailbox()
    thread = try LoopThread(EventLoop(mailbox: mailbox, configuration: configuration))
  }

  deinit { mailbox.post(.shutdown) }

  /// Sends a request and returns the whole response, of whatever status.
  ///
  /// Cancelling the task closes the request at once.
  ///
  /// - Throws: ``TransportError``, or `CancellationError`.
  public func send(_ request: HTTPRequest) async throws -> HTTPResponse {
    var hop = try Hop(request, to: url(of: request))
    while true {
      let response = try await sendOnce(hop)
      guard let next = try hop.redirected(by: response.status, response.headers) else { return response }
      hop = next
    }
  }

  /// Sends a request and returns as soon as the head of the response is there.
  ///
  /// `timeout` and `responseBytesMax` count for the whole body; bound a long one by `idleTimeout`.
  ///
  /// - Throws: ``TransportError``, or `CancellationError`.
  public func stream(_ request: HTTPRequest) async throws -> HTTPStream {
    var hop = try Hop(request, to: url(of: request))
    while true {
      let stream = try await openOnce(hop)
      guard let next = try hop.redirected(by: stream.status, stream.headers) else { return stream }
      stream.close()
      hop = next
    }
  }

  /// Runs `body` on the thread that responses come in on, so that it reads a stream without changes of thread.
  ///
  /// For what is short and never blocks: all other transfers wait meanwhile.
  public func onLoopThread<Value>(_ body: @concurrent () async throws -> Value) async rethrows -> Value {
    try await withTaskExecutorPreference(mailbox, operation: body)
  }

  /// Fails what is still on its way, closes all connections and ends the thread.
  public func shutdown() async {
    mailbox.post(.shutdown)
    await thread.join()
  }

  /// Scripts, which have an egress policy, may name any number of URLs.
  private func url(of request: HTTPRequest) throws(TransportError) -> HTTPURL {
    guard request.egress == nil else { return try HTTPURL(request.url) }
    if let known = knownURLs.withLock({ $0[request.url] }) { return known }
    let url = try HTTPURL(request.url)
    knownURLs.withLock { known in
      if known.count >= Self.knownURLsMax { known = [:] }
      known[request.url] = url
    }
    return url
  }

  private func sendOnce(_ hop: Hop) async throws -> HTTPResponse {
    let transfer = Transfer(hop.request, to: hop.url)
    return try await withTaskCancellationHandler {
      try await withCheckedThrowingContinuation { start(transfer, .whole($0)) }
    } onCancel: {
      mailbox.post(.cancel(transfer))
    }
  }

  private func openOnce(_ hop: Hop) async throws -> HTTPStream {
    let transfer = Transfer(hop.request, to: hop.url)
    let pipe = BodyPipe()
    let head = try await withTaskCancellationHandler {
      try await withCheckedThrowingContinuation { start(transfer, .stream($0, pipe)) }
    } onCancel: {
      mailbox.post(.cancel(transfer))
    }
    return HTTPStream(head, pipe: pipe, transfer: transfer, client: self)
  }

  private func start(_ transfer: Transfer, _ delivery: Transfer.Delivery) {
    transfer.delivery = delivery
    if !mailbox.post(.start(transfer)) {
      transfer.complete(TransportError(.closed, "the client shut down"))
    }
  }
}
