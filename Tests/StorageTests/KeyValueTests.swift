// SPDX-License-Identifier: Apache-2.0
import Core
import JSONCodec
import Storage
import Testing

@Suite("Small values")
struct KeyValueTests {
  @Test("a value is found in its own scope only")
  func scopes() async throws {
    try await withValues { values, _ in
      try await values.set(scope: .user("ann"), key: "k", value: RawJSON(["a": 1]), ttl: nil)
      #expect(try await values.get(scope: .user("ann"), key: "k") == RawJSON(["a": 1]))
      #expect(try await values.get(scope: .user("bob"), key: "k") == nil)
      #expect(try await values.get(scope: .workspace(nil), key: "k") == nil)
    }
  }

  @Test("a value is gone when its time is over")
  func expiry() async throws {
    try await withValues { values, time in
      try await values.set(scope: .workspace(nil), key: "k", value: RawJSON("v"), ttl: .seconds(10))
      time.advance(by: .milliseconds(9_999))
      #expect(try await values.get(scope: .workspace(nil), key: "k") == RawJSON("v"))
      time.advance(by: .milliseconds(1))
      #expect(try await values.get(scope: .workspace(nil), key: "k") == nil)
      #expect(try await values.delete(scope: .workspace(nil), key: "k") == false)
    }
  }

  @Test("setting a value anew sets its time anew")
  func overwrite() async throws {
    try await withValues { values, time in
      try await values.set(scope: .workspace(nil), key: "k", value: RawJSON("v"), ttl: .seconds(1))
      try await values.set(scope: .workspace(nil), key: "k", value: RawJSON("w"), ttl: nil)
      time.advance(by: .seconds(2))
      #expect(try await values.get(scope: .workspace(nil), key: "k") == RawJSON("w"))
    }
  }

  @Test("a count starts over when its time is over, and keeps its time until then")
  func countExpiry() async throws {
    try await withValues { values, time in
      var sums: [Int64] = []
      for amount: Int64 in [2, 3, 1] {
        sums.append(
          try await values.increment(scope: .workspace(nil), key: "n", by: amount, ttl: .seconds(10)))
        time.advance(by: .seconds(6))
      }
      #expect(sums == [2, 5, 1])
    }
  }

  @Test("what is no whole number is not counted", arguments: ["\"1\"", "1.5", "null", "[1]"])
  func notANumber(text: String) async throws {
    try await withValues { values, _ in
      try await values.set(
        scope: .workspace(nil), key: "n", value: RawJSON(trusted: Array(text.utf8)), ttl: nil)
      let refused = try await failure {
        try await values.increment(scope: .workspace(nil), key: "n", by: 1, ttl: nil)
      }
      #expect(refused.code == .conflict)
    }
  }

  @Test("a sum that does not fit is refused")
  func overflow() async throws {
    try await withValues { values, _ in
      _ = try await values.increment(scope: .workspace(nil), key: "n", by: .max, ttl: nil)
      let refused = try await failure {
        try await values.increment(scope: .workspace(nil), key: "n", by: 1, ttl: nil)
      }
      #expect(refused.code == .conflict)
    }
  }

  @Test("a deleted value is gone, and says whether it was there")
  func delete() async throws {
    try await withValues { values, _ in
      try await values.set(scope: .workspace(nil), key: "k", value: RawJSON("v"), ttl: nil)
      #expect(try await values.delete(scope: .workspace(nil), key: "k"))
      #expect(try await values.delete(scope: .workspace(nil), key: "k") == false)
      #expect(try await values.get(scope: .workspace(nil), key: "k") == nil)
    }
  }

  @Test("keys and values have a size limit")
  func limits() async throws {
    try await withValues { values, _ in
      let longest = String(repeating: "k", count: 512)
      let largest = RawJSON(.string(String(repeating: "v", count: 256 * 1024 - 2)))
      try await values.set(scope: .workspace(nil), key: longest, value: largest, ttl: nil)
      #expect(try await values.get(scope: .workspace(nil), key: longest) == largest)
      let key = try await failure {
        try await values.set(scope: .workspace(nil), key: longest + "k", value: RawJSON("v"), ttl: nil)
      }
      #expect(key.code == .limit)
      let value = try await failure {
        try await values.set(
          scope: .workspace(nil), key: "k", value: RawJSON(trusted: largest.bytes + [0x20]), ttl: nil)
      }
      #expect(value.code == .limit)
    }
  }

  private func withValues(_ body: (SQLiteKeyValueStore, ManualTime) async throws -> Void) async throws {
    try await withStore { store in
      let time = ManualTime()
      try await body(SQLiteKeyValueStore(store: store, time: time), time)
    }
  }
}
