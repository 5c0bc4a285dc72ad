// SPDX-License-Identifier: Apache-2.0
import Foundation
import TestSupport

/// Tests in Python, a folder each, for what Python has the best client of.
///
/// Where Python or its packages cannot be had, they are passed over; CI has to have them.
enum PythonTests {
  /// Made by `scripts/setup.sh python` with the `requirements.txt` of all folders.
  private static let python = PerigeeBinary.repository + "/.build/python/bin/python"
  private static let environment = ProcessInfo.processInfo.environment

  static var isCI: Bool { environment["CI"] != nil }

  static var isThere: Bool { FileManager.default.isExecutableFile(atPath: python) || isCI }

  /// Whether a command is installed.
  static func onPath(_ command: String) -> Bool {
    (environment["PATH"] ?? "").split(separator: ":").contains {
      FileManager.default.isExecutableFile(atPath: "\($0)/\(command)")
    }
  }

  /// Runs a module, a class or a test of a folder beside this file, without what the developer's shell says of models.
  static func run(
    _ name: String, in folder: String, environment changes: [String: String]
  ) async throws -> Outcome {
    let client = try ChildProcess(
      python, ["-m", "unittest", name],
      environment: PerigeeBinary.environment(
        [
          "PYTHONPATH": "\(PerigeeBinary.repository)/Tests/CLITests/\(folder)",
          "PYTHONDONTWRITEBYTECODE": "1",
        ].merging(changes) { $1 }))
    client.send(input: "")
    async let errors = client.errors.text()
    async let output = client.output.text()
    return await Outcome(status: client.end(), output: output, errors: errors)
  }
}
