// SPDX-License-Identifier: Apache-2.0
import Glibc
import Synchronization

/// The sockets and threads behind ``ScriptedProvider``.
final class FakeServer: Sendable {
  typealias Request = ScriptedProvider.Request
  typealias Reply = ScriptedProvider.Reply

  let port: Int
  let log = FakeServerLog()
  private let listener: Int32
  private let answer: @Sendable (Request) -> Reply

  init(_ answer: @escaping @Sendable (Request) -> Reply) throws {
    self.answer = answer
    (listener, port) = try Loopback.listen()
    log.add(listener)
    Loopback.startThread { [self] in accept() }
  }

  func stop() { log.stop() }

  private func accept() {
    var number = 0
    while true {
      let connection = Glibc.accept(listener, nil, nil)
      guard connection >= 0 else { break }
      // Programs that other tests start must not keep it open.
      _ = fcntl(connection, F_SETFD, FD_CLOEXEC)
      guard log.open(connection) else { break }
      let count = number
      Loopback.startThread { [self] in
        serve(connection, count)
        log.close(connection)
      }
      number += 1
    }
    log.remove(listener)
  }

  private func serve(_ connection: Int32, _ number: Int) {
    var buffer: [UInt8] = []
    while let request = readRequest(connection, number, &buffer) {
      log.append(request)
      let reply = answer(request)
      for step in reply.steps {
        switch step {
        case .bytes(let bytes): guard Loopback.send(bytes, to: connection) else { return }
        case .pass(let gate): gate.pass()
        case .silence: while receive(connection, &buffer) {}
        case .reset:
          reset(connection)
          return
        case .flood(let piece, let count, let meter):
          for _ in 0..<count {
            guard Loopback.send(piece, to: connection) else { return }
            meter.add(piece.count)
          }
        }
      }
      if !reply.keepsConnection { return }
    }
  }

  /// Closing sends a reset: nobody waits for what is still on its way.
  private func reset(_ connection: Int32) {
    var linger = linger(l_onoff: 1, l_linger: 0)
    setsockopt(connection, SOL_SOCKET, SO_LINGER, &linger, socklen_t(MemoryLayout<Glibc.linger>.size))
  }

  private func readRequest(_ connection: Int32, _ number: Int, _ buffer: inout [UInt8]) -> Request? {
    let blank = Array("\r\n\r\n".utf8)
    var head: Range<Int>?
    while true {
      head = buffer.firstRange(of: blank)
      if head != nil { break }
      guard receive(connection, &buffer) else { return nil }
    }
    guard let head else { return nil }
    let lines = String(decoding: buffer[..<head.lowerBound], as: UTF8.self).split(separator: "\r\n")
    let words = (lines.first ?? "").split(separator: " ")
    guard words.count == 3 else { return nil }
    let headers = lines.dropFirst().compactMap { line -> (name: String, value: String)? in
      guard let colon = line.firstIndex(of: ":") else { return nil }
      let value = line[line.index(after: colon)...].drop { $0 == " " }
      return (line[..<colon].lowercased(), String(value))
    }
    let count = headers.first { $0.name == "content-length" }.flatMap { Int($0.value) } ?? 0
    let end = head.upperBound + count
    while buffer.count < end { guard receive(connection, &buffer) else { return nil } }
    let body = Array(buffer[head.upperBound..<end])
    buffer.removeFirst(end)
    return Request(
      method: String(words[0]), path: String(words[1]), headers: headers, body: body, connection: number)
  }

  private func receive(_ connection: Int32, _ buffer: inout [UInt8]) -> Bool {
    guard let bytes = Loopback.receive(connection) else { return false }
    buffer += bytes
    return true
  }
}

/// What a fake server has seen, and the tests that wait for it.
final class FakeServerLog: Sendable {
  struct Waiting {
    let id: Int
    let condition: @Sendable (State) -> Bool
    let continuation: CheckedContinuation<Void, Never>
  }

  struct State {
    var requests: [ScriptedProvider.Request] = []
    var opened = 0
    var closed = 0
    var isStopped = false
    var sockets: Set<Int32> = []
    var waiting: [Waiting] = []
    var cancelled: Set<Int> = []

    func isOver(_ waiting: Waiting) -> Bool {
      cancelled.contains(waiting.id) || waiting.condition(self)
    }
  }

  private let state = Mutex(State())
  private let ids = Counter()

  var requests: [ScriptedProvider.Request] { state.withLock { $0.requests } }
  var opened: Int { state.withLock { $0.opened } }

  func append(_ request: ScriptedProvider.Request) { change { $0.requests.append(request) } }

  func add(_ socket: Int32) { change { $0.sockets.insert(socket) } }

  /// Notes a new connection; false when the server has stopped, and the connection is closed.
  func open(_ socket: Int32) -> Bool {
    var isOpen = false
    change { state in
      guard !state.isStopped else { return }
      isOpen = true
      state.opened += 1
      state.sockets.insert(socket)
    }
    if !isOpen { Glibc.close(socket) }
    return isOpen
  }

  func close(_ socket: Int32) {
    remove(socket)
    change { $0.closed += 1 }
  }

  /// Closes under the lock: the number may be given out again at once.
  func remove(_ socket: Int32) {
    change { state in
      state.sockets.remove(socket)
      Glibc.close(socket)
    }
  }

  func stop() {
    change { state in
      state.isStopped = true
      for socket in state.sockets { shutdown(socket, Int32(SHUT_RDWR)) }
    }
  }

  /// Returns when the condition holds, or the task is cancelled.
  func wait(for condition: @escaping @Sendable (State) -> Bool) async {
    let id = ids.increment()
    await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        change { $0.waiting.append(Waiting(id: id, condition: condition, continuation: continuation)) }
      }
    } onCancel: {
      change { $0.cancelled.insert(id) }
    }
  }

  private func change(_ body: (inout State) -> Void) {
    let ready = state.withLock { state in
      body(&state)
      let now = state
      state.waiting.removeAll { now.isOver($0) }
      return now.waiting.filter(now.isOver)
    }
    for waiting in ready { waiting.continuation.resume() }
  }
}
