// SPDX-License-Identifier: Apache-2.0
import JSONCodec
import NIOCore
import NIOPosix
import Testing

/// An answer as it came over the wire.
struct WireResponse: Sendable {
  let status: Int
  /// Names in lower case.
  let headers: [String: String]
  let body: [UInt8]

  var text: String { String(decoding: body, as: UTF8.self) }
  var json: JSON { get throws { try JSON(parsing: body) } }
  /// The members' names in the order in which they stand.
  var keys: [String] { get throws { try json.object?.keys ?? [] } }
  /// The faults of a problem, `field: message`.
  var faults: [String] {
    get throws {
      try json["errors"]?.array?.map { "\($0["field"]?.string ?? "?"): \($0["message"]?.string ?? "?")" }
        ?? []
    }
  }
}

/// One server-sent event, or a comment.
struct WireEvent: Sendable {
  private var fields: [String: String] = [:]

  fileprivate init(_ text: String) {
    for line in text.split(separator: "\n") {
      let parts = line.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
      fields[String(parts[0])] = parts.count > 1 ? parts[1].drop { $0 == " " }.description : ""
    }
  }

  var id: Int? { fields["id"].flatMap { Int($0) } }
  var name: String? { fields["event"] }
  func field(_ name: String) -> String { fields[name] ?? "" }
  var data: JSON { get throws { try JSON(parsing: Array((fields["data"] ?? "null").utf8)) } }
  /// The text of a `message.delta`.
  var text: String? { get throws { name == "message.delta" ? try data["text"]?.string : nil } }
}

/// One connection to the server, bytes in and bytes out.
struct Client {
  struct ConnectionClosed: Error {}

  private let outbound: NIOAsyncChannelOutboundWriter<ByteBuffer>
  private var inbound: NIOAsyncChannelInboundStream<ByteBuffer>.AsyncIterator
  private var received: [UInt8] = []
  /// A chunked body of events, as far as it was read.
  private var events: [UInt8] = []
  private let channel: any Channel

  static func connect<Value: Sendable>(
    _ port: Int, _ body: (inout Client) async throws -> Value
  ) async throws -> Value {
    let connection = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
      .connect(host: "127.0.0.1", port: port) { channel in
        channel.eventLoop.makeCompletedFuture {
          try NIOAsyncChannel<ByteBuffer, ByteBuffer>(wrappingChannelSynchronously: channel)
        }
      }
    return try await connection.executeThenClose { inbound, outbound in
      var client = Client(
        outbound: outbound, inbound: inbound.makeAsyncIterator(), channel: connection.channel)
      return try await body(&client)
    }
  }

  /// Sends one request on a connection of its own.
  static func send(
    _ method: String, _ path: String, port: Int, headers: [String] = [], body: String? = nil
  ) async throws -> WireResponse {
    try await connect(port) { client in
      try await client.send(method, path, headers: headers, body: body)
      return try await client.receive(isHead: method == "HEAD")
    }
  }

  func send(_ method: String, _ path: String, headers: [String] = [], body: String? = nil) async throws {
    var lines = ["\(method) \(path) HTTP/1.1"]
    if !headers.contains(where: { $0.lowercased().hasPrefix("host:") }) { lines.append("Host: localhost") }
    if let body {
      lines.append("Content-Length: \(body.utf8.count)")
      if !headers.contains(where: { $0.lowercased().hasPrefix("content-type:") }) {
        lines.append("Content-Type: application/json")
      }
    }
    try await write((lines + headers).joined(separator: "\r\n") + "\r\n\r\n" + (body ?? ""))
  }

  func write(_ text: String) async throws { try await outbound.write(ByteBuffer(string: text)) }

  func close() async throws { try await channel.close() }

  mutating func receive(isHead: Bool = false) async throws -> WireResponse {
    let (status, headers) = try await receiveHead()
    let length = isHead ? 0 : headers["content-length"].flatMap { Int($0) } ?? 0
    return WireResponse(status: status, headers: headers, body: try await take(length))
  }

  /// Reads a status and headers; the body is still to come.
  mutating func receiveHead() async throws -> (status: Int, headers: [String: String]) {
    let head = String(decoding: try await take(through: Array("\r\n\r\n".utf8)), as: UTF8.self)
    let lines = head.split(separator: "\r\n")
    let status = try #require(lines[0].split(separator: " ").dropFirst().first.flatMap { Int($0) })
    var headers: [String: String] = [:]
    for line in lines.dropFirst() {
      let colon = try #require(line.firstIndex(of: ":"))
      headers[line[..<colon].lowercased()] = line[line.index(after: colon)...].drop { $0 == " " }.description
    }
    return (status, headers)
  }

  /// Asks for a WebSocket; the connection speaks frames from here on if the status is 101.
  mutating func upgrade(_ path: String, headers: [String] = []) async throws -> (
    status: Int, headers: [String: String]
  ) {
    try await send(
      "GET", path,
      headers: [
        "Upgrade: websocket", "Connection: keep-alive, Upgrade", "Sec-WebSocket-Version: 13",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
      ] + headers)
    return try await receiveHead()
  }

  /// Sends a frame, masked as a client's must be. Source: RFC 6455, 5.2.
  func sendFrame(_ opcode: UInt8, _ payload: [UInt8], isFinal: Bool = true, isMasked: Bool = true)
    async throws
  {
    var bytes: [UInt8] = [isFinal ? 0x80 | opcode : opcode]
    let bit: UInt8 = isMasked ? 0x80 : 0
    switch payload.count {
    case ..<126: bytes.append(bit | UInt8(payload.count))
    case ..<65_536: bytes += [bit | 126, UInt8(payload.count >> 8), UInt8(payload.count & 0xFF)]
    default: bytes += [bit | 127] + (0..<8).map { UInt8(payload.count >> (56 - 8 * $0) & 0xFF) }
    }
    let mask: [UInt8] = [1, 2, 3, 4]
    if isMasked { bytes += mask }
    bytes += payload.enumerated().map { isMasked ? $1 ^ mask[$0 % 4] : $1 }
    try await outbound.write(ByteBuffer(bytes: bytes))
  }

  func sendMessage(_ json: String) async throws { try await sendFrame(1, Array(json.utf8)) }

  /// Reads a frame.
  mutating func receiveFrame() async throws -> (opcode: UInt8, payload: [UInt8]) {
    let head = try await take(2)
    var count = Int(head[1])
    if count == 126 { count = try await take(2).reduce(0) { $0 << 8 | Int($1) } }
    if count == 127 { count = try await take(8).reduce(0) { $0 << 8 | Int($1) } }
    return (head[0] & 0x0F, try await take(count))
  }

  /// Reads a message of the conversation.
  mutating func receiveMessage() async throws -> JSON {
    let (opcode, payload) = try await receiveFrame()
    try #require(opcode == 1)
    return try JSON(parsing: payload)
  }

  /// Reads messages up to the first of this type, which is the last.
  mutating func receiveMessages(through type: String) async throws -> [JSON] {
    var messages: [JSON] = []
    repeat { messages.append(try await receiveMessage()) } while messages.last?["type"]?.string != type
    return messages
  }

  /// Reads the next event of a chunked body; `nil` at its end.
  mutating func nextEvent() async throws -> WireEvent? {
    while true {
      if let range = events.firstRange(of: Array("\n\n".utf8)) {
        defer { events.removeSubrange(..<range.upperBound) }
        return WireEvent(String(decoding: events[..<range.lowerBound], as: UTF8.self))
      }
      let size = String(decoding: try await take(through: Array("\r\n".utf8)).dropLast(2), as: UTF8.self)
      let count = try #require(Int(size, radix: 16))
      events += try await take(count)
      _ = try await take(2)
      if count == 0 { return nil }
    }
  }

  /// Reads all events up to the end of a chunked body.
  mutating func remainingEvents() async throws -> [WireEvent] {
    var all: [WireEvent] = []
    while let event = try await nextEvent() { all.append(event) }
    return all
  }

  /// Takes some of a body and forgets it: of the `left` bytes of it at most so many.
  ///
  /// - Returns: How many were taken.
  mutating func skip(atMost count: Int, of left: Int) async throws -> Int {
    if received.isEmpty, left > 0 { try await fill() }
    let taken = min(count, left, received.count)
    received.removeFirst(taken)
    return taken
  }

  /// All that comes until the connection ends.
  mutating func textToEnd() async throws -> String { String(decoding: try await readToEnd(), as: UTF8.self) }

  /// Reads on until the server closes; what came after the last answer.
  mutating func readToEnd() async throws -> [UInt8] {
    while let chunk = try await inbound.next(isolation: #isolation) { received += Array(buffer: chunk) }
    return received
  }

  private mutating func take(through end: [UInt8]) async throws -> [UInt8] {
    while true {
      if let range = received.firstRange(of: end) { return try await take(range.upperBound) }
      try await fill()
    }
  }

  private mutating func take(_ count: Int) async throws -> [UInt8] {
    while received.count < count { try await fill() }
    defer { received.removeFirst(count) }
    return Array(received.prefix(count))
  }

  private mutating func fill() async throws {
    guard let chunk = try await inbound.next(isolation: #isolation) else { throw ConnectionClosed() }
    received += Array(buffer: chunk)
  }
}

extension TestServer {
  func send(
    _ method: String, _ path: String, headers: [String] = [], body: String? = nil
  ) async throws -> WireResponse {
    try await Client.send(method, path, port: port, headers: headers, body: body)
  }

  func chat(_ agent: String = "echo", _ body: String = #"{"message":"hi"}"#) async throws -> WireResponse {
    try await send("POST", "/v1/agents/\(agent)/chat", body: body)
  }
}
