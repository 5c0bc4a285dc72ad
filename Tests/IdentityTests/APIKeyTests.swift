// SPDX-License-Identifier: Apache-2.0
import Core
import JSONCodec
import Testing

@testable import Identity

@Suite("API keys")
struct APIKeyTests {
  @Test("a key that was made is read back, and no two are alike")
  func roundTrip() throws {
    var ids: Set<String> = []
    var hashes: Set<[UInt8]> = []
    for _ in 0..<200 {
      let key = APIKey.make()
      let text = key.reveal()
      #expect(text.wholeMatch(of: /pgk_[a-z2-7]{16}_[0-9A-Za-z]{49}/) != nil)
      let read = try APIKey(parsing: text)
      #expect(read.id == key.id && read.hash == key.hash && read.reveal() == text)
      #expect(key.hash.count == 32)
      ids.insert(key.id)
      hashes.insert(key.hash)
    }
    #expect(ids.count == 200 && hashes.count == 200)
  }

  @Test("every character is used, and as often as the others")
  func alphabet() {
    var counts: [Character: Int] = [:]
    for _ in 0..<2000 {
      for character in APIKey.make().reveal().dropFirst(21).prefix(43) { counts[character, default: 0] += 1 }
    }
    // 86,000 draws of 62: 1,387 each, with a deviation of 37; 400 is beyond ten of them.
    #expect(counts.count == 62)
    #expect(counts.values.allSatisfy { abs($0 - 1387) < 400 })
  }

  @Test("the checksum is CRC-32 in base 62")
  func checksum() {
    // CRC-32 of "123456789" is 0xCBF43926 (the check value of the standard), 3,421,780,262.
    let digits = APIKey.checksum(of: Array("123456789".utf8))
    let value = digits.reduce(0) { $0 * 62 + (APIKey.alphabet.firstIndex(of: $1) ?? 0) }
    #expect(value == 0xCBF4_3926)
  }

  @Test("every single typo, swap, loss and addition is told without a store")
  func typos() throws {
    let text = Array(APIKey.make().reveal())
    var wrong: [[Character]] = []
    for index in text.indices {
      for replacement: Character in ["a", "Z", "0", "_", " ", "é"] where text[index] != replacement {
        var other = text
        other[index] = replacement
        wrong.append(other)
      }
      var shorter = text
      shorter.remove(at: index)
      wrong.append(shorter)
      wrong.append(Array(text[..<index]) + ["a"] + text[index...])
      if index > 0, text[index] != text[index - 1] {
        var swapped = text
        swapped.swapAt(index, index - 1)
        wrong.append(swapped)
      }
    }
    for other in wrong {
      let refusal = #expect(throws: TokenRefusal.self) { try APIKey(parsing: String(other)) }
      #expect(refusal?.code == .malformed)
    }
  }

  @Test(
    "what is no key",
    arguments: [
      "", "pgk_", "pgk__", "sk-abc", "PGK_aaaaaaaaaaaaaaaa_", String(repeating: "a", count: 1 << 20),
    ])
  func noKey(_ text: String) {
    #expect(throws: TokenRefusal.self) { try APIKey(parsing: text) }
  }

  @Test("neither a key nor its record prints the secret or the hash")
  func silence() throws {
    let key = APIKey.make()
    let record = try APIKeyRecord.make(
      for: key, name: "report", userID: "bot", at: Timestamp(milliseconds: 0))
    let secret = String(key.reveal().dropFirst(21))
    let hash = key.hash.map(String.init).joined(separator: ", ")
    var dumped = ""
    dump(key, to: &dumped)
    dump(record, to: &dumped)
    dump(Credentials.apiKey(key), to: &dumped)
    for text in [
      "\(key)", String(reflecting: key), "\(record)", String(reflecting: record), dumped, record.json.text,
      "\([record])", "\(Credentials.apiKey(key))",
    ] {
      #expect(!text.contains(secret) && !text.contains(hash) && !text.contains(String(key.hash[0]) + ","))
    }
  }

  @Test("a record has one shape for people and programs")
  func json() throws {
    let key = APIKey.make()
    var record = try APIKeyRecord.make(
      for: key, name: "report", userID: "bot", roles: ["user"], agents: ["todo"],
      at: Timestamp(milliseconds: 1_800_000_000_000), expiresAt: Timestamp(milliseconds: 1_800_000_060_000))
    record.lastUsedAt = Timestamp(milliseconds: 1_800_000_001_000)
    let expected: JSON = [
      "id": .string(key.id), "name": "report", "user_id": "bot", "tenant": nil, "roles": ["user"],
      "agents": ["todo"],
      "created_at": "2027-01-15T08:00:00.000Z", "expires_at": "2027-01-15T08:01:00.000Z", "revoked_at": nil,
      "last_used_at": "2027-01-15T08:00:01.000Z",
    ]
    #expect(try record.json.value() == expected)
  }

  @Test("a record is made for a user who can be one, with a name, and for some time")
  func make() {
    let key = APIKey.make()
    let now = Timestamp(milliseconds: 1000)
    for (name, user, end) in [
      ("", "bot", nil), ("a\nb", "bot", nil), ("report", "", nil), ("report", "perigee:x", nil),
      ("report", "bot", now),
    ] as [(String, String, Timestamp?)] {
      #expect(throws: IdentityError.self) {
        try APIKeyRecord.make(for: key, name: name, userID: user, at: now, expiresAt: end)
      }
    }
  }

  @Test("a record matches its own key only")
  func matches() throws {
    let key = APIKey.make()
    let other = APIKey.make()
    let record = try APIKeyRecord.make(for: key, name: "r", userID: "bot", at: Timestamp(milliseconds: 0))
    #expect(record.matches(key) && !record.matches(other))
    for hash in [[], Array(key.hash.dropLast()), key.hash + [0], other.hash] {
      let broken = APIKeyRecord(
        id: key.id, hash: hash, name: "r", userID: "bot", roles: [], agents: [],
        createdAt: Timestamp(milliseconds: 0))
      #expect(!broken.matches(key))
    }
  }
}
