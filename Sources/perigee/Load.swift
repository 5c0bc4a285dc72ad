// SPDX-License-Identifier: Apache-2.0
import Core
import Glibc
import Server
import Storage

/// What the process has used so far.
struct Load {
  let elapsed: Duration
  let processor: Duration
  let memoryBytes: Int64

  static func now(_ time: SystemTime) -> Load {
    var usage = rusage()
    getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
    func duration(_ value: timeval) -> Duration { .seconds(value.tv_sec) + .microseconds(value.tv_usec) }
    return Load(
      elapsed: time.elapsed, processor: duration(usage.ru_utime) + duration(usage.ru_stime),
      memoryBytes: residentBytes())
  }

  /// Of one processor, 1 = all of it.
  func processor(since earlier: Load) -> Double {
    let share = (processor - earlier.processor) / max(elapsed - earlier.elapsed, .milliseconds(1))
    return (share * 1000).rounded() / 1000
  }

  /// Source: proc(5), /proc/pid/statm, the second number: pages.
  private static func residentBytes() -> Int64 {
    guard let file = fopen("/proc/self/statm", "re") else { return 0 }
    defer { fclose(file) }
    var text = [CChar](repeating: 0, count: 128)
    guard fgets(&text, Int32(text.count), file) != nil else { return 0 }
    let words = String(decoding: text.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self).split(
      separator: " ")
    return words.count > 1 ? (Int64(words[1]) ?? 0) * Int64(sysconf(Int32(_SC_PAGESIZE))) : 0
  }
}

extension MachineRoom {
  /// Less than that, and what comes next may not be kept.
  private static let diskNeeded: Int64 = 100 << 20
  /// Of all memory.
  private static let memoryNeeded = 0.02

  /// - Parameter directory: Where data is kept.
  static func now(_ directory: String) -> MachineRoom {
    MachineRoom(
      hasMemory: availableMemory().map { $0 > memoryNeeded } ?? true,
      hasDisk: DiskSpace.free(at: directory).map { $0 > diskNeeded } ?? true)
  }

  /// What could be taken without swapping, of all. Source: proc(5), /proc/meminfo.
  private static func availableMemory() -> Double? {
    guard let file = fopen("/proc/meminfo", "re") else { return nil }
    defer { fclose(file) }
    var (total, available): (Double?, Double?)
    var text = [CChar](repeating: 0, count: 128)
    while total == nil || available == nil, fgets(&text, Int32(text.count), file) != nil {
      let words = String(decoding: text.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
        .split(separator: " ")
      guard words.count > 1 else { continue }
      if words[0] == "MemTotal:" { total = Double(words[1]) }
      if words[0] == "MemAvailable:" { available = Double(words[1]) }
    }
    guard let total, let available, total > 0 else { return nil }
    return available / total
  }
}
