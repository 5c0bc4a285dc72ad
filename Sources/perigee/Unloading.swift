// SPDX-License-Identifier: Apache-2.0
import Core
import Glibc
import ServiceLifecycle

/// Lets go of the code that only the start has used: nearly half of what a server without work would hold.
///
/// It stays in the kernel's page cache, where whatever is wanted again is found.
struct Unloading: Service {
  let time: any TimeSource

  func run() async throws {
    try? await cancelWhenGracefulShutdown {
      try await time.sleep(for: .seconds(1))
      Self.letGo()
    }
    // A service that returns would end the others.
    try? await gracefulShutdown()
  }

  private static func letGo() {
    guard let maps = fopen("/proc/self/maps", "re") else { return }
    defer { fclose(maps) }
    var (line, capacity): (UnsafeMutablePointer<CChar>?, Int) = (nil, 0)
    defer { free(line) }
    var code: [(start: UInt, end: UInt)] = []
    while getline(&line, &capacity, maps) > 0, let line {
      // Source: proc_pid_maps(5): address perms offset dev inode pathname.
      let fields = String(cString: line).split(separator: " ", maxSplits: 5)
      let bounds = fields[0].split(separator: "-").compactMap { UInt($0, radix: 16) }
      // Of files alone: nothing writes to their code, so that it is there to be read again.
      guard fields.count == 6, fields[1] == "r-xp", fields[5].contains("/"), bounds.count == 2 else {
        continue
      }
      code.append((bounds[0], bounds[1]))
    }
    for (start, end) in code {
      madvise(UnsafeMutableRawPointer(bitPattern: start), Int(end - start), MADV_DONTNEED)
    }
  }
}
