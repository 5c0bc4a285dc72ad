// SPDX-License-Identifier: Apache-2.0

extension Injection {
  /// What only a chat template or a harness writes. Source: the templates of ChatML, Llama 2 and 3,
  /// Gemma, Mistral and Alpaca, and the tags around tool results.
  private static let tags: [StaticString] = [
    "tool_result", "tool_results", "tool_response", "tool_call", "tool_calls", "function_results",
    "function_result",
    "function_calls", "function_response", "system_prompt", "system-prompt", "system-reminder",
    "system_message",
    "start_of_turn", "end_of_turn", "user_input", "untrusted",
  ]

  private static let instructions: [StaticString] = [
    "[INST]", "[/INST]", "<<SYS>>", "<</SYS>>", "[SYSTEM_PROMPT]", "[/SYSTEM_PROMPT]", "[TOOL_RESULTS]",
    "[/TOOL_RESULTS]", "[AVAILABLE_TOOLS]",
  ]

  private static let name = ByteSet.identifier.union(ByteSet("-"))

  static func markup(in reader: inout Reader, at start: Int) -> Match? {
    let second = reader[start + 1]
    if !second.isLetter, second != UInt8(ascii: "/"), second != UInt8(ascii: "<"),
      second != UInt8(ascii: "|"),
      second != UInt8(ascii: "#")
    {
      return nil
    }
    for literal in instructions where reader.hasExactly(literal, at: start) {
      return Match(start, start + literal.utf8CodeUnitCount)
    }
    switch reader[start] {
    case UInt8(ascii: "<"):
      if reader[start + 1] == UInt8(ascii: "|") { return token(in: &reader, at: start) }
      let first = reader[start + 1] == UInt8(ascii: "/") ? start + 2 : start + 1
      guard ByteSet("tfsuTFSUeE").contains(reader[first]) else { return nil }
      for tag in tags where reader.has(tag, at: first) {
        let end = first + tag.utf8CodeUnitCount
        if reader[end] == UInt8(ascii: ">") { return Match(start, end + 1) }
      }
      return nil
    case UInt8(ascii: "#"): return heading(in: &reader, at: start)
    default: return nil
    }
  }

  /// `<|im_start|>` and its like; the operators of F# have spaces between.
  private static func token(in reader: inout Reader, at start: Int) -> Match? {
    let end = reader.run(of: name, from: start + 2, bytesMax: 33)
    guard (2...32).contains(end - start - 2), reader.hasExactly("|>", at: end) else { return nil }
    return Match(start, end + 2)
  }

  private static let headings: [StaticString] = [
    "system:", "system prompt:", "instruction:", "instructions:", "assistant:", "human:", "user:",
    "new instructions:",
  ]

  private static func heading(in reader: inout Reader, at start: Int) -> Match? {
    guard reader.hasExactly("###", at: start), isLineStart(start, in: reader) else { return nil }
    let at = reader.run(of: .spaces, from: start + 3, bytesMax: 4)
    for heading in headings where reader.has(heading, at: at) {
      return Match(start, at + heading.utf8CodeUnitCount)
    }
    return nil
  }

  private static let roles: [StaticString] = ["system:", "assistant:", "developer:", "human:"]

  /// The first bytes of every role, for the table of triggers.
  static var beginnings: [[UInt8]] { roles.map { role in role.withUTF8Buffer { Array($0.prefix(3)) } } }

  /// The first two bytes of everything else that ``markup(in:at:)`` finds.
  static let markers: [StaticString] = [
    "<|", "</", "<<", "<t", "<f", "<s", "<e", "<u", "[i", "[/", "[s", "[t", "[a", "##",
  ]

  /// A role's name at the start of a line, and a sentence after it: in settings, a value follows.
  static func role(in reader: inout Reader, at start: Int) -> Match? {
    for role in roles where reader.has(role, at: start) {
      guard isLineStart(start, in: reader) else { return nil }
      let end = start + role.utf8CodeUnitCount
      var at = reader.run(of: .whitespace, from: end, bytesMax: 4)
      guard at > end else { return nil }
      for word in 0..<3 {
        if word > 0 {
          if reader[at] == UInt8(ascii: ",") { at += 1 }
          guard reader[at] == UInt8(ascii: " ") else { return nil }
          at += 1
        }
        let next = reader.run(of: .letters, from: at, bytesMax: 24)
        guard next > at else { return nil }
        at = next
      }
      return Match(start, end)
    }
    return nil
  }

  private static func isLineStart(_ start: Int, in reader: Reader) -> Bool {
    var at = start - 1
    while at > start - 9, ByteSet.spaces.contains(reader.past(at)) { at -= 1 }
    return at < 0 || reader.past(at) == UInt8(ascii: "\n")
  }
}
