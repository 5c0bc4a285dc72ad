// SPDX-License-Identifier: Apache-2.0
import Foundation
import TestSupport
import Testing

/// A server with a certificate of its own, which Python talks to.
@Suite("HTTPS", .timeLimit(.minutes(5)))
struct HTTPSTests {
  @Test(
    "is spoken by the process itself, and its certificate renewed as it runs",
    .enabled(if: PythonTests.isThere))
  func https() async throws {
    let workspace = try Folder([
      "agents/plain.lua": "return { run = function(ctx) return ctx.input.message end }"
    ])
    let outcome = try await PythonTests.run(
      "test_https", in: "tls",
      environment: ["PERIGEE_BINARY": PerigeeBinary.url.path, "PERIGEE_WORKSPACE": workspace.path])
    withExtendedLifetime(workspace) { #expect(outcome.status == 0, "\(outcome.errors)") }
  }
}
