// SPDX-License-Identifier: Apache-2.0
import Core
import Crypto
import Lint
import Threads

/// The scripts of a workspace, and the texts that they read, as bytes.
struct WorkspaceFiles: Sendable {
  enum Kind: String {
    case agents, tools, lib, evals, files

    /// What a version is made of.
    static let loaded: [Kind] = scripts + [.files]
    /// What a server runs.
    static let scripts: [Kind] = [.agents, .tools, .lib]
    /// What is written in Lua.
    static let lua: [Kind] = scripts + [.evals]
  }

  /// Bytes of one file.
  static let bytesMax = 1 << 20
  /// Files of a workspace.
  static let countMax = 10_000
  /// Bytes of all under `files/`.
  static let textBytesMax = 32 << 20

  /// By path in the workspace, `agents/market/title.lua`.
  private(set) var files: [String: SourceFile] = [:]

  /// What is written in Lua, by path.
  var scripts: [String: SourceFile] { files.filter { !Self.isText($0.key) } }
  /// What scripts may read, by path under `files/`.
  var texts: [String: [UInt8]] {
    var texts: [String: [UInt8]] = [:]
    for (path, file) in files where Self.isText(path) {
      texts[String(path.dropFirst(Self.textPrefix.count))] = file.bytes
    }
    return texts
  }

  private static let textPrefix = Kind.files.rawValue + "/"
  private static func isText(_ path: String) -> Bool { path.hasPrefix(textPrefix) }

  var sources: [String: [UInt8]] { files.mapValues(\.bytes) }
  /// `sha256:` and the digest of all files by path.
  let version: String
  /// Files that had to be read for it.
  private(set) var reads = 0

  /// Reads every `.lua` file under the folders of `kinds`, and every one under `files/`, whose path has no part that
  /// starts with `_` or `.`.
  ///
  /// Waits for the disk: it has a thread of its own.
  ///
  /// - Parameter earlier: What was read before; files that were not touched since are not read again.
  static func read(
    directory: String, kinds: [Kind] = Kind.loaded, since earlier: WorkspaceFiles? = nil,
    problems: WorkspaceProblems
  ) async -> WorkspaceFiles {
    await withCheckedContinuation { continuation in
      thread.async {
        continuation.resume(
          returning: WorkspaceFiles(
            directory: directory, kinds: kinds, since: earlier, problems: problems))
      }
    }
  }

  /// Reads one file; nil for what is not there, is no file, or is larger than a script may be.
  static func contents(_ file: String) async -> [UInt8]? {
    await withCheckedContinuation { continuation in
      thread.async {
        guard case .bytes(let bytes) = FileTree.contents(file, bytesMax: bytesMax) else {
          return continuation.resume(returning: nil)
        }
        continuation.resume(returning: bytes)
      }
    }
  }

  private static let thread = SerialThread(name: "perigee-files")

  private init(
    directory: String, kinds: [Kind], since earlier: WorkspaceFiles?, problems: WorkspaceProblems
  ) {
    var files: [String: SourceFile] = [:]
    if let root = FileTree.realPath(directory) {
      var tree = FileTree(root: root, hidden: ["_", "."])
      for kind in kinds { tree.walk(kind.rawValue) }
      for path in tree.strays {
        problems.add(file: path, .unreadable, "the link leads out of the workspace")
      }
      var textBytes = 0
      for file in tree.files.sorted(by: { $0.path < $1.path }) {
        let isText = Self.isText(file.path)
        guard isText || file.path.hasSuffix(".lua") else { continue }
        guard files.count < WorkspaceFiles.countMax else {
          problems.add(file: file.path, .unreadable, "there are more than \(WorkspaceFiles.countMax) files")
          break
        }
        let known = earlier?.files[file.path]
        if let known, known.stamp == file.stamp {
          files[file.path] = known
        } else {
          files[file.path] = Self.read(file, root, known, problems)
          reads += 1
        }
        guard isText else { continue }
        textBytes += files[file.path]?.bytes.count ?? 0
        if textBytes > WorkspaceFiles.textBytesMax {
          problems.add(
            file: file.path, .unreadable,
            "the files under files/ are larger than \(WorkspaceFiles.textBytesMax >> 20) MiB together")
          break
        }
      }
    }
    self.files = files
    version = Self.version(of: files)
  }

  init(sources: [String: [UInt8]]) {
    files = sources.mapValues { SourceFile(bytes: $0, stamp: nil) }
    version = Self.version(of: files)
  }

  /// Those of the files whose path is wanted.
  func filter(_ isWanted: (String) -> Bool) -> WorkspaceFiles {
    WorkspaceFiles(sources: sources.filter { isWanted($0.key) })
  }

  /// These files and those of `other`.
  func merging(_ other: WorkspaceFiles) -> WorkspaceFiles {
    WorkspaceFiles(sources: sources.merging(other.sources) { own, _ in own })
  }

  private static func read(
    _ file: FileTree.File, _ root: String, _ earlier: SourceFile?, _ problems: WorkspaceProblems
  ) -> SourceFile? {
    let path = file.path
    func refuse(_ message: String, hint: String? = nil) -> SourceFile? {
      problems.add(file: path, .unreadable, message, hint: hint)
      return nil
    }
    if isText(path) {
      guard path.split(separator: "/").allSatisfy(isTextName) else {
        return refuse(
          "the name of a file under files/ is made of letters without accents, digits, '.', '_' and '-'")
      }
    } else if !path.split(separator: "/").allSatisfy(isName) {
      return refuse(
        "the name of a script is made of a-z, 0-9 and _, and starts with a letter",
        hint: "rename it, or start the name with _ if it should not be loaded")
    }
    let isSettled = file.stamp.isSettled
    let bytes: [UInt8]
    switch FileTree.contents("\(root)/\(path)", bytesMax: WorkspaceFiles.bytesMax) {
    case .bytes(let read): bytes = read
    case .tooLarge: return refuse("the file is larger than \(WorkspaceFiles.bytesMax >> 20) MiB")
    case .gone: return nil
    case .unreadable: return refuse("the file cannot be read")
    }
    guard String(validating: bytes, as: UTF8.self) != nil else { return refuse("the file is not UTF-8") }
    let read = SourceFile(bytes: bytes, stamp: isSettled ? file.stamp : nil)
    guard let earlier, earlier.digest == read.digest else { return read }
    // The same text has one copy.
    return SourceFile(earlier, stamp: read.stamp)
  }

  private static func version(of files: [String: SourceFile]) -> String {
    var hash = SHA256()
    for (path, file) in files.sorted(by: { $0.key < $1.key }) {
      // Lengths keep two different trees from having one text.
      hash.update(data: Array("\(path.utf8.count):\(path)".utf8))
      hash.update(data: file.digest)
    }
    return "sha256:" + hash.finalize().map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
  }

  static func isName(_ part: Substring) -> Bool {
    let stem = part.hasSuffix(".lua") ? part.dropLast(4) : part
    guard let first = stem.utf8.first, first >= UInt8(ascii: "a"), first <= UInt8(ascii: "z") else {
      return false
    }
    return stem.utf8.allSatisfy { byte in
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"):
        true
      default: false
      }
    }
  }

  private static func isTextName(_ part: Substring) -> Bool {
    part.utf8.allSatisfy { byte in
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"): true
      case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "-"):
        true
      default: false
      }
    }
  }

  func paths(_ kind: Kind) -> [String] { files.keys.filter { $0.hasPrefix(kind.rawValue + "/") }.sorted() }

  /// `agents/market/title.lua` is the agent `market.title`.
  static func agentName(_ path: String) -> String {
    String(path.dropFirst("agents/".count).dropLast(".lua".count)).replacing("/", with: ".")
  }
}

/// One file's text.
struct SourceFile: Sendable {
  let bytes: [UInt8]
  /// SHA-256.
  let digest: [UInt8]
  /// Of the file that it was read from; `nil` = it may change without another stamp.
  let stamp: FileStamp?

  init(bytes: [UInt8], stamp: FileStamp?) {
    self.bytes = bytes
    self.stamp = stamp
    digest = Array(SHA256.hash(data: bytes))
  }

  init(_ file: SourceFile, stamp: FileStamp?) {
    bytes = file.bytes
    digest = file.digest
    self.stamp = stamp
  }
}
