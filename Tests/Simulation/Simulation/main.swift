// SPDX-License-Identifier: Apache-2.0
// Runs histories by their seeds: simulation [--seed N] [--count N].
// Exit 1: a history went wrong; its seed is printed, and runs it again. With SIMULATION_VERBOSE set, each tells when it
// ended by its own clock: the same seed, the same time.
import Foundation

// The order of dictionaries is a matter of chance as well, decided before anything of ours runs.
if getenv("SWIFT_DETERMINISTIC_HASHING") == nil {
  setenv("SWIFT_DETERMINISTIC_HASHING", "1", 1)
  let words = CommandLine.arguments.map { strdup($0) } + [nil]
  execv("/proc/self/exe", words)
}

var seed: UInt64 = 1
var count: UInt64 = 100
var arguments = CommandLine.arguments.dropFirst()
while let name = arguments.popFirst() {
  guard let value = arguments.popFirst().flatMap({ UInt64($0) }) else {
    print("usage: simulation [--seed N] [--count N]")
    exit(2)
  }
  switch name {
  case "--seed": seed = value
  case "--count": count = value
  default:
    print("usage: simulation [--seed N] [--count N]")
    exit(2)
  }
}

// A process that is cut off leaves its files open, so many histories take several processes, as many at once as there
// are processors.
let batch: UInt64 = 100
if count > batch {
  exit(runBatches(from: seed, count: count, of: batch))
}

let root = FileManager.default.temporaryDirectory.path + "/perigee-simulation-\(getpid())"
let workspace = root + "/workspace"
for (name, text) in Scripts.files {
  let url = URL(filePath: "\(workspace)/\(name)")
  try FileManager.default.createDirectory(
    at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
  try Data(text.utf8).write(to: url)
}

// One that hangs says so, and ends its process.
signal(SIGALRM) { _ in
  let text = "seed \(Loop.shared.history): has not ended after \(historySeconds) s\n"
  write(STDERR_FILENO, text, text.utf8.count)
  _exit(1)
}

Loop.shared.begin()
var failed = 0
for number in seed..<seed + count {
  Loop.shared.history = number
  alarm(historySeconds)
  let data = "\(root)/\(number)"
  let problems = try World(seed: number, workspace: workspace, data: data).run()
  try? FileManager.default.removeItem(atPath: data)
  if getenv("SIMULATION_VERBOSE") != nil { print("seed \(number): \(Loop.shared.elapsed)") }
  guard !problems.isEmpty else { continue }
  failed += 1
  for problem in problems { print("seed \(number): \(problem)") }
  fflush(nil)
}
try? FileManager.default.removeItem(atPath: root)
print(
  "\(count) histories from seed \(seed): \(failed == 0 ? "nothing lost, nothing done twice" : "\(failed) went wrong")"
)
exit(failed == 0 ? 0 : 1)
