// SPDX-License-Identifier: Apache-2.0
import Core
import JSONCodec

/// The messages of a request, put together one after another; no call in them stays without its result.
struct Dialogue: Sendable {
  /// What a message of a person is made of.
  struct Content: Sendable {
    var text = ""
    /// Parts of other kinds, as they came.
    var parts: [JSON] = []
    /// The path of the first of ``parts``.
    var partsPath = ""
  }

  private(set) var messages: [ModelMessage] = []
  /// Place of the last message of a person in ``messages``, and what else stood in it.
  private(set) var last: (index: Int, content: Content)?
  /// The first part that is no text, wherever it stands.
  private(set) var partsPath: String?
  /// Calls of the last assistant message that have no result yet, and the message's path.
  private var open: (calls: [ToolCallRequest], path: String)?

  mutating func system(_ text: String) throws(Problem) {
    try close()
    if !text.isEmpty { messages.append(.system(text)) }
  }

  mutating func user(_ content: Content) throws(Problem) {
    try close()
    if !content.parts.isEmpty { partsPath = partsPath ?? content.partsPath }
    last = (messages.count, content)
    messages.append(.user(content.text))
  }

  mutating func assistant(_ text: String?, calls: [ToolCallRequest], at path: String) throws(Problem) {
    try close()
    messages.append(.assistant(calls.isEmpty ? text ?? "" : text, calls: calls))
    if !calls.isEmpty { open = (calls, path) }
  }

  mutating func tool(_ id: String, _ content: String, at path: String) throws(Problem) {
    guard let index = open?.calls.firstIndex(where: { $0.id == id }), let call = open?.calls.remove(at: index)
    else {
      throw .wrong(path, "answers no call '\(id)' of the assistant's message before it")
    }
    messages.append(.tool(callID: id, name: call.name, content: content))
  }

  /// Sees to it that the calls of the last message are all answered.
  mutating func close() throws(Problem) {
    guard let (calls, path) = open else { return }
    if let call = calls.first {
      throw .wrong(path, "calls '\(call.id)', and no result of it follows")
    }
    open = nil
  }

  /// Adds a call to the assistant's message that stands last, or to a new one: items name one call each.
  mutating func call(_ call: ToolCallRequest, at path: String) throws(Problem) {
    guard case .assistant(let text, let calls, _) = messages.last?.content,
      open?.calls.count ?? 0 == calls.count
    else {
      return try assistant(nil, calls: [call], at: path)
    }
    messages[messages.count - 1] = .assistant(text == "" ? nil : text, calls: calls + [call])
    open = (calls + [call], open?.path ?? path)
  }

  /// Adds text that may stand beside calls of the same answer.
  mutating func answer(_ text: String, at path: String) throws(Problem) {
    guard let open, case .assistant(nil, let calls, _) = messages.last?.content,
      open.calls.count == calls.count
    else {
      return try assistant(text, calls: [], at: path)
    }
    messages[messages.count - 1] = .assistant(text, calls: calls)
  }
}

extension Dialogue {
  /// Runs whose calls were handed out and are answered here.
  var runIDs: [String] {
    messages.compactMap { message in
      guard case .assistant(_, let calls, _) = message.content else { return nil }
      return calls.lazy.compactMap { HandedOutCall.runID(in: $0.id) }.first
    }
  }

  /// The messages `range`, with what the agent's own tools did before it handed out the calls that stand there.
  func messages(_ range: Range<Int>, with steps: [String: [TurnStep]]) -> [ModelMessage] {
    guard !steps.isEmpty else { return Array(messages[range]) }
    var left = steps
    var woven: [ModelMessage] = []
    for message in messages[range] {
      if case .assistant(let text, let calls, _) = message.content,
        let runID = calls.lazy.compactMap({ HandedOutCall.runID(in: $0.id) }).first,
        // A run hands calls out once, whatever the caller makes of it.
        let steps = left.removeValue(forKey: runID)
      {
        for var step in steps {
          // The caller has these words already, with the calls that were handed out.
          if step.text == text { step.text = "" }
          woven += step.modelMessages
        }
      }
      woven.append(message)
    }
    return woven
  }

  /// What scripts see of the messages before `end`: what people said, and the answers.
  func history(before end: Int, at time: Timestamp) -> [Message] {
    messages[..<end].compactMap { message in
      switch message.content {
      case .user(let text, _): Message(id: "", runID: "", role: .user, text: text, createdAt: time)
      case .assistant(let text?, calls: [], _):
        Message(id: "", runID: "", role: .assistant, text: text, createdAt: time)
      case .assistant, .system, .tool: nil
      }
    }
  }
}

/// The name of a call that the caller makes: it says which run asked for it.
enum HandedOutCall {
  private static let prefix = "call_"
  private static let digits = 32

  /// `call_`, the run's identifier in 32 digits, and the call's place: at most 40 characters, which is as long as
  /// providers take (OpenAI API reference, `tool_calls[].id`).
  static func id(ofRun runID: String, at index: Int) -> String {
    prefix + runID.filter { $0 != "-" } + String(index)
  }

  /// The run that handed out the call; `nil` when the name is none of ours.
  static func runID(in id: String) -> String? {
    guard id.hasPrefix(prefix) else { return nil }
    let rest = id.utf8.dropFirst(prefix.utf8.count)
    guard (digits + 1...digits + 3).contains(rest.count), rest.prefix(digits).allSatisfy(isHex),
      rest.dropFirst(digits).allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) })
    else { return nil }
    var text = ""
    for (index, byte) in rest.prefix(digits).enumerated() {
      if [8, 12, 16, 20].contains(index) { text += "-" }
      text.append(Character(Unicode.Scalar(byte)))
    }
    return text
  }

  private static func isHex(_ byte: UInt8) -> Bool {
    (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
      || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains(byte)
  }
}
