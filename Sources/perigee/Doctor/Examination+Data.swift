// SPDX-License-Identifier: Apache-2.0
import Core
import Glibc
import Storage
import Threads

extension Examination {
  private static let roomWanted: Int64 = 1_000_000_000
  private static let roomNeeded: Int64 = 50_000_000

  /// The data folder and the databases in it, and when something was last written there.
  func data() async throws -> (findings: [Finding], lastWrittenAt: Timestamp?) {
    var findings = await folder()
    let conditions = try await DatabaseCondition.examine(dataDirectory)
    findings += conditions.map(finding)
    findings.append(await SerialThread.run { [dataDirectory] in Self.processes(dataDirectory) })
    return (findings, conditions.compactMap(\.lastWrittenAt).max())
  }

  private func folder() async -> [Finding] {
    await SerialThread.run { [dataDirectory] in
      var (place, isThere) = (dataDirectory, true)
      // A folder that is not there yet is made in the first one above it that is.
      while access(place, F_OK) != 0, place != "/", place != "." {
        isThere = false
        let slash = place.lastIndex(of: "/")
        place = slash.map { $0 == place.startIndex ? "/" : String(place[..<$0]) } ?? "."
      }
      var status = stat()
      guard stat(place, &status) == 0, status.st_mode & S_IFMT == S_IFDIR,
        access(place, W_OK | X_OK) == 0
      else {
        return [
          .error(
            "data folder", "\(place) cannot be written by this user",
            hint: "give it to the user that serves, or choose another with --data (data.directory)")
        ]
      }
      let state = isThere ? "can be written" : "is not there yet; the first start makes it"
      return [Finding.ok("data folder", "\(dataDirectory) \(state)"), Self.room(at: place)]
    }
  }

  private static func room(at path: String) -> Finding {
    guard let free = DiskSpace.free(at: path) else {
      return .warning(
        "disk", "the system does not say how much is free at \(path)", hint: "look yourself: df -h")
    }
    let text = "\(ByteCount(free)) are free at \(path)"
    if free < roomNeeded {
      return .error("disk", text, hint: "make room: what cannot be written is not answered")
    }
    return free < roomWanted ? .warning("disk", text, hint: "make room before it is full") : .ok("disk", text)
  }

  private func finding(_ database: DatabaseCondition) -> Finding {
    switch database.state {
    case .absent: return .ok(database.name, "is not there yet; the first start makes it")
    case .whole:
      let schema = database.schema ?? 0
      let step = schema < database.schemaKnown ? ", brought to \(database.schemaKnown) at the next start" : ""
      return .ok(database.name, "whole, \(ByteCount(database.bytes)), schema \(schema)\(step)")
    case .newer:
      return .error(
        database.name,
        "was written by a newer Perigee: schema \(database.schema ?? 0), known up to \(database.schemaKnown)",
        hint: "start that version, or restore a backup of before: perigee restore FILE --force")
    case .unusable(let why):
      return .error(
        database.name, why, hint: "stop the server and restore a backup: perigee restore FILE --force")
    }
  }

  private static func processes(_ directory: String) -> Finding {
    let kinds = [
      ("lock", "server"), ("workers", "worker"), ("guests", "command"), (DataLease.commands, "command"),
    ]
    var processes: [Int32: String] = [:]
    // A server has a share of each: its first one names it.
    for (file, kind) in kinds.reversed() {
      for holder in DataLease.holders(directory, file: file) { processes[holder] = kind }
    }
    guard !processes.isEmpty else { return .ok("processes", "none is at work in the data folder") }
    let list = processes.sorted { $0.key < $1.key }.map { "a \($0.value) (process \($0.key))" }
    return .ok("processes", "at work in the data folder: \(list.joined(separator: ", "))")
  }
}

extension DataLease {
  /// Processes that hold a lease, as the kernel lists them. Asking for the lease would take it from a server that
  /// starts at that moment.
  ///
  /// Source: proc_locks(5).
  static func holders(_ directory: String, file: String) -> [Int32] {
    var status = stat()
    guard stat("\(directory)/\(file)", &status) == 0, let list = fopen("/proc/locks", "re") else { return [] }
    defer { fclose(list) }
    var holders: [Int32] = []
    var line = [CChar](repeating: 0, count: 256)
    while fgets(&line, Int32(line.count), list) != nil {
      let words = String(decoding: line.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self).split(
        separator: " ")
      // Who waits for one stands behind an arrow.
      guard words.count > 5, words[1] == "FLOCK", words[5].split(separator: ":").last == "\(status.st_ino)",
        let holder = Int32(words[4])
      else { continue }
      holders.append(holder)
    }
    return holders
  }
}
