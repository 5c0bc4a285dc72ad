// SPDX-License-Identifier: Apache-2.0
import Core
import Crypto
import Guardrails
import JSONCodec

/// Brings requests into the form that recordings are found by: without secrets, personal data, and what is new
/// in every run.
public struct RequestNormalization: Sendable {
  /// What a request without a model, a temperature or a limit of its own gets.
  public var defaultModel: String
  public var temperature: Double?
  public var tokensMax: Int?
  private let blotter: SecretBlotter

  /// - Parameter secrets: Values that get into no recording.
  public init(
    defaultModel: String, temperature: Double? = nil, tokensMax: Int? = nil, secrets: [String] = []
  ) {
    self.defaultModel = defaultModel
    self.temperature = temperature
    self.tokensMax = tokensMax
    blotter = SecretBlotter(secrets)
  }

  /// Takes the request apart; its text may be long, its form is as long.
  func form(of request: ModelRequest) -> RequestForm {
    var names = VolatileNames()
    var form = JSONObject()
    let models = request.models.isEmpty ? [defaultModel] : request.models
    form.append("models", .array(models.map { .string($0) }))
    if let temperature = request.temperature ?? temperature {
      form.append("temperature", .number(temperature))
    }
    if let tokensMax = request.tokensMax ?? tokensMax {
      form.append("max_tokens", .integer(Int64(clamping: tokensMax)))
    }
    var calls = CallNumbers()
    form.append(
      "messages",
      .array(request.messages.map { blot(message($0, &calls)) { names.replace(in: $0) } }))
    if !request.tools.isEmpty { form.append("tools", .array(request.tools.map(tool))) }
    switch request.toolChoice {
    case .auto: break
    case .required: form.append("tool_choice", "required")
    case .named(let name): form.append("tool_choice", ["name": .string(name)])
    }
    if !request.allowsParallelCalls { form.append("parallel_tool_calls", false) }
    if let output = request.output { form.append("output", (try? output.json.value()) ?? .null) }
    return RequestForm(json: .object(form), names: names)
  }

  func form(of request: EmbeddingRequest) -> RequestForm {
    var names = VolatileNames()
    var form = JSONObject([
      ("models", [.string(request.model)]),
      ("inputs", .array(request.inputs.map { .string(blot($0) { names.replace(in: $0) }) })),
    ])
    if let dimensions = request.dimensions {
      form.append("dimensions", .integer(Int64(clamping: dimensions)))
    }
    return RequestForm(json: .object(form), names: names)
  }

  private func tool(_ tool: ToolDescription) -> JSON {
    [
      "name": .string(tool.name), "description": .string(blot(tool.description)),
      "parameters": (try? tool.schema.value()) ?? .null,
    ]
  }

  private func message(_ message: ModelMessage, _ calls: inout CallNumbers) -> JSON {
    switch message.content {
    case .system(let text): return ["role": "system", "content": .string(text)]
    case .user(let text, let images):
      var object = JSONObject([("role", "user"), ("content", .string(text))])
      if !images.isEmpty {
        object.append(
          "images",
          .array(images.map { ["url": .string($0.url), "detail": .string($0.detail.rawValue)] }))
      }
      return .object(object)
    // What its provider made of it cannot be read, and is another one each time.
    case .assistant(let text, let requests, _):
      var object = JSONObject([("role", "assistant"), ("content", text.map { .string($0) } ?? .null)])
      if !requests.isEmpty {
        object.append(
          "calls",
          .array(
            requests.map { call in
              let arguments = (try? JSON(parsing: call.arguments)) ?? .string(call.arguments)
              return ["id": .string(calls.add(call.id)), "name": .string(call.name), "arguments": arguments]
            }))
      }
      return .object(object)
    case .tool(let callID, let name, let content):
      // What is JSON is compared as JSON: a Lua table gives its members in any order.
      let parsed = (try? JSON(parsing: content)).flatMap { $0.object == nil && $0.array == nil ? nil : $0 }
      return [
        "role": "tool", "call": .string(calls[callID]), "name": .string(name),
        "content": parsed ?? .string(content),
      ]
    }
  }
}

// MARK: What may not be written down

extension RequestNormalization {
  /// The reply as it is written down: names that are new in every run as the request has them.
  func blotted(_ reply: ModelReply, in form: RequestForm) -> ModelReply {
    var reply = reply
    let replace = { (text: String) in form.names.replacing(in: text) }
    reply.text = blot(reply.text, replace)
    reply.calls = reply.calls.map { call in
      guard let arguments = try? JSON(parsing: call.arguments) else {
        return ToolCallRequest(id: call.id, name: call.name, arguments: blot(call.arguments, replace))
      }
      let blotted = blot(arguments, replace)
      // The model's own text, unless something in it had to go.
      return blotted == arguments
        ? call : ToolCallRequest(id: call.id, name: call.name, arguments: RawJSON(blotted).text)
    }
    return reply
  }

  /// A text without secrets and personal data.
  func blot(_ text: String, _ replace: (String) -> String = { $0 }) -> String {
    // Names first: a long identifier may look like the number of a card.
    return Self.inspector.masked(replace(blotter.withoutKnown(text)), style: .label)
  }

  private static let inspector = Inspector(Detector.Category.secrets.detectors + Detector.redacted)

  /// Under which a recording is looked for: without what an older version did not blot yet, and with the one label
  /// that it had for all that opens doors.
  func place(of form: RequestForm) -> String {
    RequestForm(json: blot(blot(form.json) { $0 }, Self.withOneLabel)).key
  }

  private static func withOneLabel(_ text: String) -> String {
    text.contains("[")
      ? Detector.Category.secrets.detectors.reduce(text) { $0.replacing("[\($1.name)]", with: "[key]") }
      : text
  }

  private func blot(_ json: JSON, _ replace: (String) -> String) -> JSON {
    switch json {
    case .string(let text): return .string(blot(text, replace))
    case .array(let elements): return .array(elements.map { blot($0, replace) })
    case .object(let object):
      return .object(JSONObject(object.members.map { (blot($0.key, replace), blot($0.value, replace)) }))
    case .integer, .number:
      let text = RawJSON(json).text
      return blot(text) == text ? json : 0
    case .null, .bool: return json
    }
  }
}

/// Calls by their number in the conversation: a provider gives them new identifiers each time.
private struct CallNumbers {
  private var numbers: [String: Int] = [:]
  private var count = 0

  mutating func add(_ id: String) -> String {
    count += 1
    numbers[id] = count
    return "call \(count)"
  }

  subscript(id: String) -> String { "call \(numbers[id] ?? 0)" }
}

/// A request as recordings are found by it.
struct RequestForm: Sendable {
  let json: JSON
  /// Whether vectors are asked for, and no answer.
  var isOfEmbedding: Bool { json["inputs"] != nil }
  /// SHA-256 of the canonical ``json``, in hexadecimal digits.
  let key: String
  let names: VolatileNames

  init(json: JSON, names: VolatileNames = VolatileNames()) {
    self.json = json
    self.names = names
    key = SHA256.hash(data: json.canonical.bytes).map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }
      .joined()
  }
}
