// SPDX-License-Identifier: Apache-2.0
import CCurl
import Glibc

/// One hop of a request on its way: what is sent, and what has come back so far.
///
/// SAFETY: made by the caller, changed only by the loop thread once it is posted; the mailbox orders the two.
final class Transfer: @unchecked Sendable {
  enum Delivery {
    case whole(CheckedContinuation<HTTPResponse, any Error>)
    case stream(CheckedContinuation<HTTPStream.Head, any Error>, BodyPipe)
  }

  /// More than any real server sends.
  static let headerBytesMax = 64 << 10

  let request: HTTPRequest
  let url: HTTPURL
  let headerList: UnsafeMutablePointer<curl_slist>?
  var body: UnsafeRawBufferPointer? { request.body?.bytes }

  var delivery: Delivery? {
    didSet { if case .stream(_, let pipe) = delivery { self.pipe = pipe } }
  }
  /// Where the body goes piece by piece; by itself, as taking it out of the delivery copies that.
  private var pipe: BodyPipe?
  var handle: EasyHandle?
  var isCancelled = false
  /// Our own reason to break off, which counts for more than what libcurl makes of it.
  var refusal: TransportError?
  /// The connection stands and the request goes out.
  var isSent = false
  var status = 0
  private var headerLines: [UInt8] = []
  private var headerBytes = 0
  private var isHeadComplete = false
  private var received: [UInt8] = []
  private var receivedBytes = 0
  private var sentBytes = 0

  init(_ request: HTTPRequest, to url: HTTPURL) {
    self.request = request
    self.url = url
    var list: UnsafeMutablePointer<curl_slist>?
    for (name, value) in request.sentHeaders {
      // A name with a semicolon is how libcurl is told to send an empty value.
      list = curl_slist_append(list, value.isEmpty ? "\(name);" : "\(name): \(value)")
    }
    list = curl_slist_append(list, "Expect:")
    if request.body != nil, !request.headers.contains(where: { $0.name.lowercased() == "content-type" }) {
      list = curl_slist_append(list, "Content-Type:")
    }
    headerList = list
  }

  deinit { curl_slist_free_all(headerList) }
}

// What libcurl tells of the transfer, on the loop thread.
extension Transfer {
  /// Takes one line of the head; false breaks the transfer off.
  func takeHeader(_ line: UnsafeRawBufferPointer) -> Bool {
    // Fields after the body are trailers, which nobody asks for.
    if isHeadComplete { return true }
    headerBytes += line.count
    guard headerBytes <= Self.headerBytesMax else {
      refusal = TransportError(.tooLarge, "the response has too many headers", mayHaveBeenSent: true)
      return false
    }
    if line.starts(with: "HTTP/".utf8) {
      headerLines.removeAll(keepingCapacity: true)
      status = Self.status(of: line)
    } else if line.count > 2 {
      headerLines.append(contentsOf: line)
    } else if status >= 200 {
      isHeadComplete = true
      deliverHead()
    }
    return true
  }

  /// Digits after the first space: `HTTP/1.1 200 OK`, `HTTP/2 200`.
  private static func status(of line: UnsafeRawBufferPointer) -> Int {
    guard let space = line.firstIndex(of: UInt8(ascii: " ")) else { return 0 }
    return line[(space + 1)...].prefix(3).reduce(0) { sum, byte in
      byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9") ? sum * 10 + Int(byte & 15) : sum
    }
  }

  enum Acceptance { case taken, full, refused }

  func takeBody(_ bytes: UnsafeRawBufferPointer) -> Acceptance {
    guard receivedBytes + bytes.count <= request.responseBytesMax else {
      refusal = TransportError(
        .tooLarge, "the response is larger than \(request.responseBytesMax) bytes", mayHaveBeenSent: true)
      return .refused
    }
    if let pipe {
      guard pipe.offer(bytes) else { return .full }
    } else {
      received.append(contentsOf: bytes)
    }
    receivedBytes += bytes.count
    return .taken
  }

  /// Copies the next piece of the body for sending.
  func giveBody(_ space: UnsafeMutableRawBufferPointer) -> Int {
    guard let body else { return 0 }
    let count = min(space.count, body.count - sentBytes)
    space.copyMemory(from: UnsafeRawBufferPointer(rebasing: body[sentBytes..<(sentBytes + count)]))
    sentBytes += count
    return count
  }

  /// Decides on an address that is about to be connected to, or whose connection is about to be used.
  func allows(_ address: IPAddress?) -> Bool {
    guard let egress = request.egress, !egress.allows(address) else { return true }
    refusal = TransportError(.denied, "the host's address is not on the public internet")
    return false
  }

  private func deliverHead() {
    guard case .stream(let continuation, _) = delivery else { return }
    continuation.resume(returning: HTTPStream.Head(status: status, headers: HTTPHeaders(lines: headerLines)))
  }

  /// Hands the outcome to whoever waits; the last thing that happens to a transfer.
  func complete(_ failure: (any Error)?) {
    guard let delivery else { return }
    self.delivery = nil
    // For libcurl a head without its last line is a response too.
    let incomplete = TransportError(.broken, "the connection broke", mayHaveBeenSent: true)
    let failure = failure ?? (isHeadComplete ? nil : incomplete)
    switch (delivery, failure) {
    case (.whole(let continuation), nil):
      continuation.resume(
        returning: HTTPResponse(
          status: status, headers: HTTPHeaders(lines: headerLines), body: received, url: url.text))
    case (.whole(let continuation), .some(let failure)): continuation.resume(throwing: failure)
    case (.stream(_, let pipe), _) where isHeadComplete: pipe.finish(failure)
    case (.stream(let continuation, _), .some(let failure)): continuation.resume(throwing: failure)
    case (.stream, nil): break
    }
  }
}
