// SPDX-License-Identifier: Apache-2.0
public import JSONCodec

extension ScriptedProvider {
  /// What goes back for one request, step by step.
  public struct Reply: Sendable {
    enum Step: Sendable {
      case bytes([UInt8])
      case pass(Gate)
      /// Says nothing until the other side leaves.
      case silence
      /// Tears the connection down.
      case reset
      case flood([UInt8], count: Int, FloodMeter)
    }

    let steps: [Step]
    let keepsConnection: Bool

    init(_ steps: [Step], keepsConnection: Bool) {
      self.steps = steps
      self.keepsConnection = keepsConnection
    }

    /// The same reply, but not before the gate is open.
    public func held(by gate: Gate) -> Reply {
      Reply([.pass(gate)] + steps, keepsConnection: keepsConnection)
    }
  }
}

// Replies of HTTP.
extension ScriptedProvider.Reply {
  /// A whole response; `Content-Length` is added.
  public static func status(
    _ status: Int, headers: [(name: String, value: String)] = [], body: String = ""
  ) -> Self {
    response(status, headers: headers, body: Array(body.utf8))
  }

  public static func response(
    _ status: Int, headers: [(name: String, value: String)] = [], body: [UInt8]
  ) -> Self {
    var head = "HTTP/1.1 \(status) Status\r\nContent-Length: \(body.count)\r\n"
    for (name, value) in headers { head += "\(name): \(value)\r\n" }
    return Self([.bytes(Array((head + "\r\n").utf8) + body)], keepsConnection: true)
  }

  public static func json(_ value: JSON, status: Int = 200) -> Self {
    response(status, headers: [("Content-Type", "application/json")], body: RawJSON(value).bytes)
  }

  /// Pieces of a body without a known length, each sent when the gate before it is open.
  public static func pieces(
    _ pieces: [(gate: Gate?, bytes: [UInt8])], headers: [(name: String, value: String)] = []
  ) -> Self {
    var head = "HTTP/1.1 200 OK\r\nConnection: close\r\n"
    for (name, value) in headers { head += "\(name): \(value)\r\n" }
    var steps: [Step] = [.bytes(Array((head + "\r\n").utf8))]
    for piece in pieces {
      if let gate = piece.gate { steps.append(.pass(gate)) }
      steps.append(.bytes(piece.bytes))
    }
    return Self(steps, keepsConnection: false)
  }

  /// Bytes as they are, and the end of the connection.
  public static func raw(_ text: String) -> Self {
    Self([.bytes(Array(text.utf8))], keepsConnection: false)
  }

  /// The end of the connection, and no answer.
  public static let close = Self([], keepsConnection: false)

  /// The head of a response, and silence for as long as the other side waits.
  public static let silentBody = Self(
    [.bytes(Array("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n".utf8)), .silence], keepsConnection: false)

  /// Nothing at all, for as long as the other side waits.
  public static let silence = Self([.silence], keepsConnection: false)
}

// Replies of a model.
extension ScriptedProvider.Reply {
  /// An answer in words.
  public static func completion(
    _ text: String, finishReason: String = "stop", inputTokens: Int = 10, outputTokens: Int = 5
  ) -> Self {
    completion(
      message: ["role": "assistant", "content": .string(text)], finishReason: finishReason,
      inputTokens: inputTokens, outputTokens: outputTokens)
  }

  /// An answer that calls tools; the arguments are JSON text.
  public static func toolCalls(
    _ calls: [(id: String, name: String, arguments: String)], saying text: String? = nil,
    finishReason: String = "tool_calls"
  ) -> Self {
    let calls = calls.map { call -> JSON in
      [
        "id": .string(call.id), "type": "function",
        "function": ["name": .string(call.name), "arguments": .string(call.arguments)],
      ]
    }
    return completion(
      message: [
        "role": "assistant", "content": text.map { .string($0) } ?? .null, "tool_calls": .array(calls),
      ],
      finishReason: finishReason, inputTokens: 10, outputTokens: 5)
  }

  private static func completion(
    message: JSON, finishReason: String, inputTokens: Int, outputTokens: Int
  ) -> Self {
    json([
      "id": "chatcmpl-1", "object": "chat.completion", "created": 1_790_000_000, "model": "scripted",
      "choices": [["index": 0, "message": message, "finish_reason": .string(finishReason)]],
      "usage": [
        "prompt_tokens": .integer(Int64(inputTokens)), "completion_tokens": .integer(Int64(outputTokens)),
        "total_tokens": .integer(Int64(inputTokens + outputTokens)),
      ],
    ])
  }

  /// Server-sent events with this data, each sent when the gate before it is open.
  ///
  /// - Parameter ending: The end of the body waits for it; the connection is kept.
  public static func events(_ events: [(gate: Gate?, data: String)], ending: Gate? = nil) -> Self {
    let head = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
    var steps: [Step] = [.bytes(Array(head.utf8))]
    for event in events {
      if let gate = event.gate { steps.append(.pass(gate)) }
      let line = "data: \(event.data)\n\n"
      steps.append(.bytes(Array("\(String(line.utf8.count, radix: 16))\r\n\(line)\r\n".utf8)))
    }
    if let ending { steps.append(.pass(ending)) }
    return Self(steps + [.bytes(Array("0\r\n\r\n".utf8))], keepsConnection: true)
  }

  /// Data of the events that a streamed answer in words is made of, `[DONE]` included.
  public static func streamedCompletion(
    _ pieces: [String], finishReason: String = "stop", inputTokens: Int = 10, outputTokens: Int = 5
  ) -> [String] {
    func chunk(_ choices: JSON, usage: JSON = nil) -> String {
      RawJSON([
        "id": "chatcmpl-1", "object": "chat.completion.chunk", "model": "scripted", "choices": choices,
        "usage": usage,
      ]).text
    }
    let usage: JSON = [
      "prompt_tokens": .integer(Int64(inputTokens)), "completion_tokens": .integer(Int64(outputTokens)),
    ]
    return pieces.map { chunk([["index": 0, "delta": ["content": .string($0)], "finish_reason": nil]]) }
      + [
        chunk([["index": 0, "delta": [:], "finish_reason": .string(finishReason)]]),
        chunk([], usage: usage), "[DONE]",
      ]
  }

  /// A refusal in the provider's own form.
  public static func failure(
    _ status: Int, code: String? = nil, message: String = "no", headers: [(name: String, value: String)] = []
  ) -> Self {
    let error: JSON = [
      "message": .string(message), "type": "error", "param": .null,
      "code": code.map(JSON.string) ?? .null,
    ]
    return response(status, headers: headers, body: RawJSON(["error": error]).bytes)
  }
}
