// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import Lint

@Suite struct IgnoreTests {
  @Test(
    "an ignore speaks of its own line, or of the next one when it stands alone",
    arguments: [
      ("local a = 1 -- perigee: ignore P111 because x\nreturn {}", []),
      ("-- perigee: ignore P111 because x\nlocal a = 1\nreturn {}", []),
      ("-- perigee: ignore P111 because x\n-- and more\nlocal a = 1\nreturn {}", []),
      (
        "-- perigee: ignore P111 because x\n-- perigee: ignore P161 because y\nlocal a = uuid()\nreturn {}",
        ["2:1 P902", "3:11 P161"]
      ),
      ("-- perigee: ignore P111, P121 because x\nlocal a = 1\nreturn {}", ["1:1 P902"]),
      ("-- perigee: ignore P111,P104 because x\nlocal a = string.x\nreturn {}", []),
      ("local a = 1 -- perigee: ignore P111 because x\nlocal b = 1\nreturn {}", ["2:7 P111"]),
      ("-- perigee: ignore P111 because x\n\nlocal a = 1\nreturn {}", ["1:1 P902", "3:7 P111"]),
      ("-- perigee: ignore P111\nlocal a = 1\nreturn {}", ["1:1 P901", "2:7 P111"]),
      ("-- perigee: ignore P111 because\nlocal a = 1\nreturn {}", ["1:1 P901", "2:7 P111"]),
      ("-- perigee: ignore because x\nlocal a = 1\nreturn {}", ["1:1 P901", "2:7 P111"]),
      ("-- perigee: ignore P001 because x\nreturn = 1", ["2:8 P001"]),
      ("-- perigee: ignore P161 because x\nlocal _x = uuid()\nreturn {}", ["1:1 P902", "2:12 P161"]),
      ("-- perigee is fine\nreturn {}", []), ("local s = '-- perigee: ignore P111 because x'\nreturn s", []),
    ])
  func ignores(text: String, expected: [String]) { #expect(lint(text) == expected) }
}
