// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing

/// A client of the language server protocol, pygls's, against the built binary.
@Suite("A language client", .timeLimit(.minutes(5)))
struct LanguageClientTests {
  @Test(
    "finds what the protocol and the documentation promise", .enabled(if: PythonTests.isThere),
    arguments: ["test_session", "test_diagnostics", "test_features", "test_rename"])
  func promised(module: String) async throws {
    let outcome = try await PythonTests.run(
      module, in: "lsp", environment: ["BINARY": PerigeeBinary.url.path])
    #expect(outcome.status == 0, "\(outcome.errors) \(outcome.output)")
    #expect(outcome.errors.contains("\nOK"))
  }
}
