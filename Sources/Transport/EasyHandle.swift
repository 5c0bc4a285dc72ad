// SPDX-License-Identifier: Apache-2.0
import CCurl
import Glibc

/// A libcurl easy handle that serves one transfer after another; belongs to the loop thread.
final class EasyHandle {
  let raw: UnsafeMutableRawPointer
  /// Place among the loop's active handles.
  var index = 0
  private(set) var transfer: Transfer?
  /// Where it is, as long as it has a transfer.
  var multi: MultiHandle?
  private let errorText: UnsafeMutablePointer<CChar>
  private let usesProxy: Bool

  init?(_ configuration: HTTPClient.Configuration) {
    guard let raw = curl_easy_init() else { return nil }
    self.raw = raw
    usesProxy = configuration.usesEnvironmentProxy
    errorText = .allocate(capacity: Int(CURL_ERROR_SIZE))
    errorText.initialize(repeating: 0, count: Int(CURL_ERROR_SIZE))
    let context = Unmanaged.passUnretained(self).toOpaque()
    ccurl_set_pointer(raw, CURLOPT_PRIVATE, context)
    ccurl_set_pointer(raw, CURLOPT_ERRORBUFFER, errorText)
    ccurl_set_string(raw, CURLOPT_PROTOCOLS_STR, "http,https")
    ccurl_set_string(raw, CURLOPT_USERAGENT, configuration.userAgent)
    if let file = configuration.certificateFile { ccurl_set_string(raw, CURLOPT_CAINFO, file) }
    ccurl_set_long(raw, CURLOPT_NOSIGNAL, 1)
    ccurl_set_long(raw, CURLOPT_TCP_NODELAY, 1)
    ccurl_set_long(raw, CURLOPT_TCP_KEEPALIVE, 1)
    ccurl_set_long(raw, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1)
    // Held for as long as a call waits: 16 KB unless said, which a thousand waiting conversations feel.
    ccurl_set_long(raw, CURLOPT_BUFFERSIZE, 4096)
    // Otherwise a cancelled transfer holds the whole loop until its name look-up has ended.
    ccurl_set_long(raw, CURLOPT_QUICK_EXIT, 1)
    ccurl_set_data_callback(raw, CURLOPT_WRITEFUNCTION, takeBody)
    ccurl_set_pointer(raw, CURLOPT_WRITEDATA, context)
    ccurl_set_data_callback(raw, CURLOPT_HEADERFUNCTION, takeHeader)
    ccurl_set_pointer(raw, CURLOPT_HEADERDATA, context)
    ccurl_set_data_callback(raw, CURLOPT_READFUNCTION, giveBody)
    ccurl_set_pointer(raw, CURLOPT_READDATA, context)
    ccurl_set_open_socket(raw, openSocket, context)
    ccurl_set_before_request(raw, beforeRequest, context)
  }

  deinit {
    curl_easy_cleanup(raw)
    errorText.deallocate()
  }

  /// libcurl's own words on the failed transfer.
  func diagnostic(_ code: CURLcode) -> String {
    let text = String(cString: errorText)
    return text.isEmpty ? String(cString: curl_easy_strerror(code)) : text
  }

  /// Sets every option that differs between transfers, so that nothing of the last one is left.
  func begin(_ transfer: Transfer) {
    self.transfer = transfer
    let request = transfer.request
    errorText[0] = 0
    ccurl_set_string(raw, CURLOPT_URL, transfer.url.text)
    ccurl_set_headers(raw, transfer.headerList)
    ccurl_set_long(raw, CURLOPT_CONNECTTIMEOUT_MS, request.connectTimeout.milliseconds)
    ccurl_set_long(raw, CURLOPT_TIMEOUT_MS, request.timeout.milliseconds)
    ccurl_set_long(raw, CURLOPT_LOW_SPEED_LIMIT, request.idleTimeout == nil ? 0 : 1)
    ccurl_set_long(
      raw, CURLOPT_LOW_SPEED_TIME, request.idleTimeout.map { max(1, Int($0.components.seconds)) } ?? 0)
    // An empty name means no proxy at all: an address seen through a proxy cannot be checked.
    ccurl_set_string(raw, CURLOPT_PROXY, request.egress == nil && usesProxy ? nil : "")
    let isTLS = transfer.url.destination.scheme == "https"
    ccurl_set_long(
      raw, CURLOPT_HTTP_VERSION, isTLS ? Int(CURL_HTTP_VERSION_2TLS) : Int(CURL_HTTP_VERSION_1_1))
    // Worth it only where the connection may turn out to be HTTP/2.
    ccurl_set_long(raw, CURLOPT_PIPEWAIT, isTLS ? 1 : 0)
    setMethod(transfer)
  }

  private func setMethod(_ transfer: Transfer) {
    let method = transfer.request.method
    let mayRepeat = transfer.request.mayRepeat
    // In this order: setting the fields, even to none, makes it a POST.
    ccurl_set_pointer(raw, CURLOPT_POSTFIELDS, nil)
    ccurl_set_long(raw, CURLOPT_HTTPGET, 1)
    ccurl_set_offset(raw, CURLOPT_POSTFIELDSIZE_LARGE, -1)
    ccurl_set_string(raw, CURLOPT_CUSTOMREQUEST, method == "GET" || method == "HEAD" ? nil : method)
    ccurl_set_long(raw, CURLOPT_FRESH_CONNECT, 0)
    if let body = transfer.body {
      ccurl_set_long(raw, CURLOPT_POST, 1)
      ccurl_set_string(raw, CURLOPT_CUSTOMREQUEST, method)
      ccurl_set_offset(raw, CURLOPT_POSTFIELDSIZE_LARGE, Int64(body.count))
      // libcurl repeats a request whose kept connection turns out to be closed, unless it would have to read
      // the body again and cannot.
      if mayRepeat || body.isEmpty {
        // libcurl only reads it.
        ccurl_set_pointer(raw, CURLOPT_POSTFIELDS, UnsafeMutableRawPointer(mutating: body.baseAddress))
      }
    } else if method == "HEAD" {
      ccurl_set_long(raw, CURLOPT_NOBODY, 1)
    }
    if !mayRepeat, transfer.body?.isEmpty ?? true { ccurl_set_long(raw, CURLOPT_FRESH_CONNECT, 1) }
  }

  func end() {
    transfer = nil
    ccurl_set_headers(raw, nil)
    ccurl_set_pointer(raw, CURLOPT_POSTFIELDS, nil)
  }

  static func from(_ context: UnsafeMutableRawPointer?) -> EasyHandle? {
    context.map { Unmanaged<EasyHandle>.fromOpaque($0).takeUnretainedValue() }
  }
}

private func takeHeader(
  _ bytes: UnsafeMutablePointer<CChar>?, _ size: Int, _ count: Int, _ context: UnsafeMutableRawPointer?
) -> Int {
  let line = UnsafeRawBufferPointer(start: bytes, count: size * count)
  guard let transfer = EasyHandle.from(context)?.transfer, transfer.takeHeader(line) else { return -1 }
  return line.count
}

private func takeBody(
  _ bytes: UnsafeMutablePointer<CChar>?, _ size: Int, _ count: Int, _ context: UnsafeMutableRawPointer?
) -> Int {
  let piece = UnsafeRawBufferPointer(start: bytes, count: size * count)
  switch EasyHandle.from(context)?.transfer?.takeBody(piece) {
  case .taken: return piece.count
  case .full: return Int(CURL_WRITEFUNC_PAUSE)
  case .refused, nil: return -1
  }
}

private func giveBody(
  _ space: UnsafeMutablePointer<CChar>?, _ size: Int, _ count: Int, _ context: UnsafeMutableRawPointer?
) -> Int {
  let space = UnsafeMutableRawBufferPointer(start: space, count: size * count)
  return EasyHandle.from(context)?.transfer?.giveBody(space) ?? 0
}

private func openSocket(
  _ context: UnsafeMutableRawPointer?, _ purpose: curlsocktype,
  _ address: UnsafeMutablePointer<curl_sockaddr>?
) -> curl_socket_t {
  guard let address, let transfer = EasyHandle.from(context)?.transfer,
    transfer.allows(IPAddress(&address.pointee.addr))
  else { return -1 }
  return socket(
    address.pointee.family, address.pointee.socktype | Int32(SOCK_CLOEXEC.rawValue), address.pointee.protocol)
}

/// Asks again when the connection stands: a kept one may have been opened for a request with other rights.
private func beforeRequest(
  _ context: UnsafeMutableRawPointer?, _ remoteAddress: UnsafeMutablePointer<CChar>?,
  _ localAddress: UnsafeMutablePointer<CChar>?, _ remotePort: Int32, _ localPort: Int32
) -> Int32 {
  guard let transfer = EasyHandle.from(context)?.transfer,
    transfer.request.egress == nil || transfer.allows(remoteAddress.flatMap { IPAddress($0) })
  else { return CURL_PREREQFUNC_ABORT }
  transfer.isSent = true
  return CURL_PREREQFUNC_OK
}

extension Duration {
  /// Whole milliseconds, at least 1 and at most about 24 days, which is what libcurl's timers take.
  var milliseconds: Int {
    let (seconds, attoseconds) = components
    guard seconds < 2_000_000 else { return 2_000_000_000 }
    return max(1, Int(seconds) * 1000 + Int(attoseconds / 1_000_000_000_000_000))
  }
}
