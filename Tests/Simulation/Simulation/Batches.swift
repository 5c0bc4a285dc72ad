// SPDX-License-Identifier: Apache-2.0
import Glibc

/// That one history may take; most take a tenth of a second.
let historySeconds: UInt32 = 120

/// Runs histories in processes of their own, some at once.
///
/// - Returns: 0 when nothing went wrong in any of them.
func runBatches(from first: UInt64, count: UInt64, of batch: UInt64) -> Int32 {
  var starts = stride(from: first, to: first + count, by: Int(batch)).makeIterator()
  var running = 0
  var result: Int32 = 0
  func begin() {
    guard let start = starts.next() else { return }
    let words = ["/proc/self/exe", "--seed", "\(start)", "--count", "\(min(batch, first + count - start))"]
    var arguments = words.map { strdup($0) } + [nil]
    defer { for word in arguments { free(word) } }
    var child = pid_t()
    guard posix_spawn(&child, "/proc/self/exe", nil, nil, &arguments, environ) == 0 else {
      result = 1
      return
    }
    running += 1
  }
  for _ in 0..<max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN))) { begin() }
  while running > 0 {
    var status: Int32 = 0
    guard wait(&status) > 0 else { break }
    running -= 1
    // How a process ended: proc(5), wait(2).
    if status != 0 { result = 1 }
    begin()
  }
  return result
}
