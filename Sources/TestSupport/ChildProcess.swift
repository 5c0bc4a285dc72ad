// SPDX-License-Identifier: Apache-2.0
public import Glibc
import Synchronization

/// A program that a test has started.
///
/// Foundation's `Process` now and then reads past the end of its own memory when many start at once.
public final class ChildProcess: Sendable {
  /// An end of a pipe, read off the cooperative pool.
  public struct Output: Sendable {
    fileprivate let descriptor: Int32

    /// Everything until the program closes its end; once only.
    public func text() async -> String {
      await detached {
        var bytes: [UInt8] = []
        while let byte = Self.read(descriptor, 4096) { bytes += byte }
        close(descriptor)
        return String(decoding: bytes, as: UTF8.self)
      }
    }

    /// The first line, without its end; what follows can be read later.
    public func line() async -> String {
      await detached {
        var bytes: [UInt8] = []
        while let byte = Self.read(descriptor, 1), byte != [UInt8(ascii: "\n")] { bytes += byte }
        return String(decoding: bytes, as: UTF8.self)
      }
    }

    /// What comes up to the end of that text, or all there is; what follows can be read later.
    public func text(until end: String) async -> String {
      await detached {
        let end = Array(end.utf8)
        var bytes: [UInt8] = []
        while !bytes.suffix(end.count).elementsEqual(end), let byte = Self.read(descriptor, 1) {
          bytes += byte
        }
        return String(decoding: bytes, as: UTF8.self)
      }
    }

    private static func read(_ descriptor: Int32, _ count: Int) -> [UInt8]? {
      var space = [UInt8](repeating: 0, count: count)
      while true {
        let length = Glibc.read(descriptor, &space, count)
        if length > 0 { return Array(space[..<length]) }
        if length == 0 || errno != EINTR { return nil }
      }
    }
  }

  public struct Failed: Error, CustomStringConvertible {
    public let description: String
  }

  public let identifier: pid_t
  public let output: Output
  public let errors: Output
  private let input: Int32
  /// Held while a pipe is not yet closed to other programs that start, and while one starts.
  private static let starting = Mutex(())

  /// Starts `path`; its input stays open until ``send(input:)``.
  ///
  /// - Throws: ``Failed`` when there is no such program, or no descriptor left.
  public init(_ path: String, _ arguments: [String] = [], environment: [String: String]) throws {
    let pipes = try Self.starting.withLock { _ in try (0..<3).map { _ in try Self.pipe() } }
    let (identifier, code) = Self.start(path, arguments, environment, sets: 0) { actions in
      posix_spawn_file_actions_adddup2(&actions, pipes[0].read, 0)
      posix_spawn_file_actions_adddup2(&actions, pipes[1].write, 1)
      posix_spawn_file_actions_adddup2(&actions, pipes[2].write, 2)
    }
    close(pipes[0].read)
    close(pipes[1].write)
    close(pipes[2].write)
    input = pipes[0].write
    output = Output(descriptor: pipes[1].read)
    errors = Output(descriptor: pipes[2].read)
    self.identifier = identifier
    guard code == 0 else { throw Failed(description: "\(path): \(String(cString: strerror(code)))") }
  }

  /// Starts `path` in a terminal of its own: what is typed comes back as an echo, and Ctrl-C is a signal.
  ///
  /// Its errors stand between its output, as everybody sees them.
  public init(inTerminal path: String, _ arguments: [String] = [], environment: [String: String]) throws {
    let terminal = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC)
    var (lock, number): (Int32, UInt32) = (0, 0)
    guard terminal >= 0, ioctl(terminal, Self.setLock, &lock) == 0,
      ioctl(terminal, Self.getNumber, &number) == 0
    else { throw Failed(description: "no terminal is left") }
    let name = "/dev/pts/\(number)"
    // The leader of a new session gets the first terminal that it opens as its own.
    let (identifier, code) = Self.start(
      path, arguments, environment, sets: Self.newSession
    ) { actions in
      posix_spawn_file_actions_addopen(&actions, 0, name, O_RDWR, 0)
      posix_spawn_file_actions_adddup2(&actions, 0, 1)
      posix_spawn_file_actions_adddup2(&actions, 0, 2)
    }
    input = terminal
    output = Output(descriptor: terminal)
    errors = output
    self.identifier = identifier
    guard code == 0 else { throw Failed(description: "\(path): \(String(cString: strerror(code)))") }
  }

  /// `TIOCSPTLCK`, `TIOCGPTN` and `POSIX_SPAWN_SETSID`. Source: ioctl_tty(2), spawn.h of glibc.
  private static let (setLock, getNumber, newSession): (UInt, UInt, Int16) = (0x4004_5431, 0x8004_5430, 0x80)

  private static func start(
    _ path: String, _ arguments: [String], _ environment: [String: String], sets flags: Int16,
    _ prepare: (inout posix_spawn_file_actions_t) -> Void
  ) -> (identifier: pid_t, code: Int32) {
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    prepare(&actions)
    var attributes = posix_spawnattr_t()
    posix_spawnattr_init(&attributes)
    defer { posix_spawnattr_destroy(&attributes) }
    posix_spawnattr_setflags(&attributes, flags)
    var identifier = pid_t()
    let code = withCStrings([path] + arguments) { arguments in
      withCStrings(environment.map { "\($0)=\($1)" }) { environment in
        starting.withLock { _ in
          posix_spawn(&identifier, path, &actions, &attributes, arguments, environment)
        }
      }
    }
    return (identifier, code)
  }

  /// Writes a short text and closes the input; once only, and not to a terminal.
  public func send(input text: String) {
    type(text)
    close(input)
  }

  /// Writes a short text; the input stays open.
  public func type(_ text: String) {
    var bytes = Array(text.utf8)
    // A program that does not read its input is no fault of its test.
    signal(SIGPIPE, SIG_IGN)
    _ = write(input, &bytes, bytes.count)
  }

  public func send(signal: Int32) { kill(identifier, signal) }

  /// Waits for the end; once only. The exit status, or 128 and the signal that ended it, as a shell says it.
  public func end() async -> Int32 {
    await detached { [identifier] in
      var status: Int32 = 0
      while waitpid(identifier, &status, 0) < 0, errno == EINTR {}
      let signal = status & 0x7F
      return signal == 0 ? (status >> 8) & 0xFF : 128 + signal
    }
  }

  private static func pipe() throws -> (read: Int32, write: Int32) {
    var ends: [Int32] = [0, 0]
    guard Glibc.pipe(&ends) == 0 else { throw Failed(description: "no descriptor is left") }
    for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    return (ends[0], ends[1])
  }
}

/// Runs what blocks on a thread of its own: on Linux Dispatch's global queue is the cooperative pool.
private func detached<Value: Sendable>(_ body: @escaping @Sendable () -> Value) async -> Value {
  await withCheckedContinuation { continuation in
    Loopback.startThread { continuation.resume(returning: body()) }
  }
}

private func withCStrings<Result>(
  _ strings: [String], _ body: ([UnsafeMutablePointer<CChar>?]) -> Result
) -> Result {
  let pointers = strings.map { strdup($0) }
  defer { for pointer in pointers { free(pointer) } }
  return body(pointers + [nil])
}
