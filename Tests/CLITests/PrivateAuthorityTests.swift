// SPDX-License-Identifier: Apache-2.0
import Foundation
import TestSupport
import Testing

/// A provider over TLS, which Python serves.
@Suite("A private authority", .timeLimit(.minutes(5)))
struct PrivateAuthorityTests {
  @Test("is trusted when SSL_CERT_FILE names it, and else is not", .enabled(if: PythonTests.isThere))
  func authority() async throws {
    let workspace = try Folder([
      "perigee.yaml": "providers: { openai: { retries: 0 } }",
      "agents/plain.lua": #"return { prompt = "Be plain." }"#,
    ])
    let outcome = try await PythonTests.run(
      "test_tls", in: "tls",
      environment: ["PERIGEE_BINARY": PerigeeBinary.url.path, "PERIGEE_WORKSPACE": workspace.path])
    withExtendedLifetime(workspace) { #expect(outcome.status == 0, "\(outcome.errors)") }
  }
}
