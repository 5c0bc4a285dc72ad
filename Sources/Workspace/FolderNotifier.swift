// SPDX-License-Identifier: Apache-2.0
import Glibc

/// One inotify instance, and the loop of the thread that reads it.
///
/// Source: inotify(7).
// SAFETY: `run` and what it calls are on one thread; `stop` touches only the descriptor that never changes.
final class FolderNotifier: @unchecked Sendable {
  /// What is watched of a folder.
  private enum Interest {
    /// All that happens in it.
    case all
    /// The names of the scope.
    case scope
    /// Whether the watched folder itself comes, goes or leads elsewhere.
    case root(name: String)
  }

  private struct Watched {
    /// In the watched folder; empty for that itself.
    let path: String
    let interest: Interest
  }

  /// How long a file that is open for writing holds a batch back.
  private static let unclosedMilliseconds: Int64 = 500
  /// How long changes without a pause hold a batch back.
  private static let heldMilliseconds: Int64 = 2_000

  private let directory: String
  private let scope: FolderWatch.Scope
  private let events: Int32
  /// A pipe: what is written into one end wakes who waits at the other.
  private let stopping: Int32
  private let stopper: Int32
  private var watched: [Int32: Watched] = [:]
  private var batch: FolderWatch.Batch?
  /// Written to, and not closed yet.
  private var unclosed: Set<String> = []
  private var firstEventAt: Int64 = 0
  private var lastEventAt: Int64 = 0
  /// Folders or links may have come or gone.
  private var isStale = true

  init(_ directory: String, _ scope: FolderWatch.Scope) throws(FolderWatchError) {
    self.directory = directory
    self.scope = scope
    events = inotify_init1(Int32(IN_NONBLOCK) | Int32(IN_CLOEXEC))
    guard events >= 0 else { throw FolderWatchError("inotify_init1") }
    var ends: [Int32] = [-1, -1]
    guard pipe(&ends) == 0 else {
      close(events)
      throw FolderWatchError("pipe")
    }
    for end in ends {
      _ = fcntl(end, F_SETFD, FD_CLOEXEC)
      _ = fcntl(end, F_SETFL, O_NONBLOCK)
    }
    (stopping, stopper) = (ends[0], ends[1])
  }

  deinit {
    close(events)
    close(stopping)
    close(stopper)
  }

  /// Ends ``run(_:)``, from any thread.
  func stop() {
    var byte: UInt8 = 0
    _ = write(stopper, &byte, 1)
  }

  /// Tells batches until it is stopped.
  ///
  /// - Throws: When a folder cannot be watched.
  func run(_ tell: (FolderWatch.Batch) -> Void) throws(FolderWatchError) {
    try watchFolders()
    tell(FolderWatch.Batch(isWhole: true))
    while true {
      var descriptors = [
        pollfd(fd: events, events: Int16(POLLIN), revents: 0),
        pollfd(fd: stopping, events: Int16(POLLIN), revents: 0),
      ]
      let wait = batch == nil ? -1 : Int32(max(0, due - Self.now))
      guard poll(&descriptors, 2, wait) >= 0 || errno == EINTR else { throw FolderWatchError("poll") }
      if descriptors[1].revents != 0 { return }
      if descriptors[0].revents != 0 { readEvents() }
      guard let ready = batch, Self.now >= due else { continue }
      // Before the batch is told: what happens in a new folder after somebody has looked is told, too.
      if isStale { try watchFolders() }
      batch = nil
      unclosed = []
      tell(ready)
    }
  }

  private var due: Int64 {
    let settled = lastEventAt + Int64(FolderWatch.settleTime / .milliseconds(1))
    let quiet = unclosed.isEmpty ? settled : lastEventAt + Self.unclosedMilliseconds
    return min(quiet, firstEventAt + Self.heldMilliseconds)
  }

  private static var now: Int64 {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000
  }
}

// MARK: Events

extension FolderNotifier {
  private func readEvents() {
    let head = MemoryLayout<inotify_event>.size
    withUnsafeTemporaryAllocation(byteCount: 64 << 10, alignment: MemoryLayout<inotify_event>.alignment) {
      buffer in
      while true {
        let count = read(events, buffer.baseAddress, buffer.count)
        guard count > 0 else { return }
        var offset = 0
        while offset + head <= count {
          let event = buffer.load(fromByteOffset: offset, as: inotify_event.self)
          let bytes = buffer[(offset + head)..<(offset + head + Int(event.len))].prefix { $0 != 0 }
          take(event.wd, event.mask, String(decoding: bytes, as: UTF8.self))
          offset += head + Int(event.len)
        }
      }
    }
  }

  private func take(_ number: Int32, _ mask: UInt32, _ name: String) {
    if mask.has(IN_Q_OVERFLOW) {
      isStale = true
      return note(nil)
    }
    guard let folder = watched[number] else { return }
    if mask.has(IN_IGNORED) {
      watched[number] = nil
      return
    }
    switch folder.interest {
    case .root(let root):
      guard name == root else { return }
      isStale = true
      return note(nil)
    case .scope:
      if name.isEmpty {
        isStale = true
        return note(nil)
      }
      guard scope.folders.contains(name) || scope.files.contains(name) else { return }
    case .all: break
    }
    let path = folder.path.isEmpty ? name : name.isEmpty ? folder.path : "\(folder.path)/\(name)"
    if mask.has(IN_MODIFY) || mask.has(IN_CREATE) && isBeingWritten(path) {
      unclosed.insert(path)
    } else if !mask.has(IN_ATTRIB) {
      unclosed.remove(path)
    }
    if !mask.has(IN_MODIFY), !mask.has(IN_CLOSE_WRITE), !mask.has(IN_ATTRIB) { isStale = true }
    note(path)
  }

  /// Adds to the batch; `nil` = it is not known what.
  private func note(_ path: String?) {
    lastEventAt = Self.now
    if batch == nil { firstEventAt = lastEventAt }
    if let path {
      batch = batch ?? FolderWatch.Batch()
      batch?.paths.insert(path)
    } else {
      batch = FolderWatch.Batch(paths: batch?.paths ?? [], isWhole: true)
    }
  }

  /// A file that was just made is closed by its writer later; a link, of either kind, is never written.
  private func isBeingWritten(_ path: String) -> Bool {
    var status = stat()
    return lstat("\(directory)/\(path)", &status) == 0 && status.st_mode & S_IFMT == S_IFREG
      && status.st_nlink == 1
  }
}

// MARK: Folders

extension FolderNotifier {
  private static let presence = IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO
  /// Without `IN_MODIFY`: beside what is watched may stand files that are written all the time.
  private static let inScope = presence | IN_CLOSE_WRITE | IN_DELETE_SELF | IN_MOVE_SELF
  private static let everything = inScope | IN_MODIFY | IN_ATTRIB

  /// Watches every folder that is there now, and no other.
  private func watchFolders() throws(FolderWatchError) {
    isStale = false
    var now: [Int32: Watched] = [:]
    let (parent, name) = Self.place(of: directory)
    // Not there, or not ours to look into: the folder itself is watched all the same.
    if let number = try? watch(parent, Self.presence) {
      now[number] = Watched(path: "", interest: .root(name: name))
    }
    if let number = try watch(directory, Self.inScope), now[number] == nil {
      now[number] = Watched(path: "", interest: .scope)
    }
    guard let root = FileTree.realPath(directory) else { return replace(now) }
    for folder in scope.folders {
      var tree = FileTree(root: root)
      tree.walk(folder)
      for path in tree.folders {
        guard let number = try watch("\(root)/\(path)", Self.everything), now[number] == nil else { continue }
        now[number] = Watched(path: path, interest: .all)
      }
      // A file that is a link changes where it leads.
      for path in tree.linkTargetFolders {
        guard let number = try watch(path, Self.everything), now[number] == nil else { continue }
        now[number] = Watched(path: String(path.dropFirst(root.count + 1)), interest: .all)
      }
    }
    replace(now)
  }

  private func replace(_ now: [Int32: Watched]) {
    for number in watched.keys where now[number] == nil { inotify_rm_watch(events, number) }
    watched = now
  }

  /// - Returns: `nil` when there is no such folder.
  private func watch(_ path: String, _ mask: some BinaryInteger) throws(FolderWatchError) -> Int32? {
    let number = inotify_add_watch(events, path, UInt32(mask) | UInt32(IN_ONLYDIR) | UInt32(IN_EXCL_UNLINK))
    if number >= 0 { return number }
    if errno == ENOSPC {
      throw FolderWatchError(
        description: "the system watches no more folders; raise fs.inotify.max_user_watches")
    }
    return nil
  }

  /// The folder in which another one stands, and its name there, without following a link at its end.
  private static func place(of directory: String) -> (parent: String, name: String) {
    var path = directory
    while path.count > 1, path.hasSuffix("/") { path.removeLast() }
    let last = path.split(separator: "/").last.map(String.init) ?? ""
    if last.isEmpty || last == "." || last == ".." {
      let real = FileTree.realPath(path) ?? path
      return real == path || real.hasSuffix("/..") ? (path, "") : place(of: real)
    }
    guard let slash = path.lastIndex(of: "/") else { return (".", path) }
    return (slash == path.startIndex ? "/" : String(path[..<slash]), last)
  }
}

extension FolderWatchError {
  /// Says what the system said last.
  fileprivate init(_ call: String) {
    description = "\(call) failed: \(String(cString: strerror(errno)))"
  }
}

extension UInt32 {
  fileprivate func has(_ flag: some BinaryInteger) -> Bool { self & UInt32(flag) != 0 }
}
