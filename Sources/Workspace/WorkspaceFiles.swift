// SPDX-License-Identifier: Apache-2.0
import Core
import Crypto
import Lint
import Threads

/// The scripts of a workspace, as bytes.
struct WorkspaceFiles: Sendable {
  enum Kind: String, CaseIterable {
    case agents, tools, lib, evals

    /// What a server runs.
    static let loaded: [Kind] = [.agents, .tools, .lib]
  }

  /// Bytes of one script.
  static let bytesMax = 1 << 20
  /// Scripts of a workspace.
  static let countMax = 10_000

  /// By path in the workspace, `agents/market/title.lua`.
  private(set) var files: [String: SourceFile] = [:]

  var sources: [String: [UInt8]] { files.mapValues(\.bytes) }
  /// `sha256:` and the digest of all files by path.
  let version: String
  /// Files that had to be read for it.
  private(set) var reads = 0

  /// Reads every `.lua` file under the folders of `kinds` whose path has no part that starts with `_` or `.`.
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
      for file in tree.files.sorted(by: { $0.path < $1.path }) where file.path.hasSuffix(".lua") {
        guard files.count < WorkspaceFiles.countMax else {
          problems.add(file: file.path, .unreadable, "there are more than \(WorkspaceFiles.countMax) scripts")
          break
        }
        let known = earlier?.files[file.path]
        if let known, known.stamp == file.stamp {
          files[file.path] = known
        } else {
          files[file.path] = Self.read(file, root, known, problems)
          reads += 1
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
    guard path.split(separator: "/").allSatisfy(WorkspaceFiles.isName) else {
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

  func paths(_ kind: Kind) -> [String] { files.keys.filter { $0.hasPrefix(kind.rawValue + "/") }.sorted() }

  /// `agents/market/title.lua` is the agent `market.title`.
  static func agentName(_ path: String) -> String {
    String(path.dropFirst("agents/".count).dropLast(".lua".count)).replacing("/", with: ".")
  }
}

/// One script's text.
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
