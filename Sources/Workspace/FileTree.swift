// SPDX-License-Identifier: Apache-2.0
import Glibc

/// What stands below a folder of a workspace, read without opening a file.
struct FileTree {
  struct File {
    /// In the workspace.
    let path: String
    let stamp: FileStamp
  }

  /// Of the workspace, without links.
  let root: String
  /// Names that start with one of these are passed over.
  private let hidden: [Character]
  private(set) var folders: [String] = []
  /// In no particular order.
  private(set) var files: [File] = []
  /// Paths of links that lead out of the workspace.
  private(set) var strays: [String] = []
  /// Where links to files lead: folders of this workspace, as whole paths.
  private(set) var linkTargetFolders: Set<String> = []

  init(root: String, hidden: [Character] = []) {
    self.root = root
    self.hidden = hidden
  }

  /// Looks at a folder and all in it; a link to a folder is not followed, unless it is the one that is named.
  mutating func walk(_ folder: String) {
    guard let real = Self.realPath("\(root)/\(folder)") else { return }
    guard real.hasPrefix(root + "/") else { return strays.append(folder) }
    list(folder)
  }

  private mutating func list(_ folder: String) {
    guard let stream = opendir("\(root)/\(folder)") else { return }
    defer { closedir(stream) }
    folders.append(folder)
    while let entry = readdir(stream) {
      let name = withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
        String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
      }
      guard name != ".", name != "..", let first = name.first, !hidden.contains(first) else { continue }
      look(at: "\(folder)/\(name)", in: dirfd(stream), name)
    }
  }

  private mutating func look(at path: String, in folder: Int32, _ name: String) {
    var status = stat()
    guard fstatat(folder, name, &status, AT_SYMLINK_NOFOLLOW) == 0 else { return }
    switch status.st_mode & S_IFMT {
    case S_IFDIR: list(path)
    case S_IFLNK:
      guard let real = Self.realPath("\(root)/\(path)") else { return }
      guard real.hasPrefix(root + "/") else { return strays.append(path) }
      guard fstatat(folder, name, &status, 0) == 0, status.st_mode & S_IFMT == S_IFREG else { return }
      if let slash = real.lastIndex(of: "/") { linkTargetFolders.insert(String(real[..<slash])) }
      files.append(File(path: path, stamp: FileStamp(status)))
    case S_IFREG: files.append(File(path: path, stamp: FileStamp(status)))
    default: break
    }
  }

  enum Contents {
    case bytes([UInt8])
    case tooLarge
    case gone
    case unreadable
  }

  /// Reads a file whole.
  static func contents(_ path: String, bytesMax: Int) -> Contents {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard descriptor >= 0 else { return errno == ENOENT ? .gone : .unreadable }
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { return .unreadable }
    guard status.st_size <= bytesMax else { return .tooLarge }
    var bytes: [UInt8] = []
    // One more than there should be: it may have grown.
    var chunk = Int(status.st_size) + 1
    while true {
      let room = chunk
      var count = 0
      let more = [UInt8](unsafeUninitializedCapacity: room) { buffer, initialized in
        count = Glibc.read(descriptor, buffer.baseAddress, room)
        initialized = max(0, count)
      }
      if count < 0, errno == EINTR { continue }
      guard count >= 0 else { return .unreadable }
      if count == 0 { return .bytes(bytes) }
      bytes = bytes.isEmpty ? more : bytes + more
      guard bytes.count <= bytesMax else { return .tooLarge }
      chunk = 4096
    }
  }

  /// The path without links; `nil` when nothing is there.
  static func realPath(_ path: String) -> String? {
    guard let real = realpath(path, nil) else { return nil }
    defer { free(real) }
    return String(cString: real)
  }
}

/// What tells a file's content from an earlier one without reading it.
struct FileStamp: Sendable, Hashable {
  private let device: UInt64
  private let number: UInt64
  private let bytes: Int64
  private let modified: Int64
  /// Nobody can set it back, in nanoseconds since 1970.
  private let changed: Int64

  init(_ status: stat) {
    device = UInt64(status.st_dev)
    number = UInt64(status.st_ino)
    bytes = Int64(status.st_size)
    modified = Int64(status.st_mtim.tv_sec) * 1_000_000_000 + Int64(status.st_mtim.tv_nsec)
    changed = Int64(status.st_ctim.tv_sec) * 1_000_000_000 + Int64(status.st_ctim.tv_nsec)
  }

  /// Whether a later change has another stamp for sure: the kernel's clock of files ticks every few milliseconds.
  var isSettled: Bool {
    var now = timespec()
    clock_gettime(CLOCK_REALTIME, &now)
    return Int64(now.tv_sec) * 1_000_000_000 + Int64(now.tv_nsec) - changed > 20_000_000
  }
}
