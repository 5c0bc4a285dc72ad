// SPDX-License-Identifier: Apache-2.0

/// Asks until the answer is no; the test's time limit is its end.
///
/// Between two questions it leaves the processors to the tests beside it, which their servers share.
public func waitWhile(_ condition: () async throws -> Bool) async throws {
  while try await condition() { try await Task.sleep(for: .milliseconds(10)) }
}
