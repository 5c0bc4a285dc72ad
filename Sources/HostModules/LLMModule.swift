// SPDX-License-Identifier: Apache-2.0
import Core
import JSONCodec
import LuaHost

extension HostModule {
  /// `llm`: models, called by the script.
  static let llm = HostModule(
    "llm", "Language models, on the run's budget.",
    types: """
      ---@class (exact) perigee.ChatMessage
      ---@field role "system"|"user"|"assistant"
      ---@field content string|perigee.ChatPart[] parts are for users' messages
      ---@class (exact) perigee.ChatPart
      ---@field type "text"|"image_url"
      ---@field text? string
      ---@field image_url? { url: string, detail?: "auto"|"low"|"high" } `https://…`, or `data:image/png;base64,…`
      ---@class (exact) perigee.ChatRequest
      ---@field messages perigee.ChatMessage[]
      ---@field model? string|string[] the agent's, then the configured default, unless said
      ---@field tools? string[] names of the workspace's tools that the model may ask for
      ---@field output? table<string, any> schema of a structured answer, which is then in `data`
      ---@field temperature? number
      ---@field max_tokens? integer
      ---@class (exact) perigee.ChatAnswer
      ---@field text string
      ---@field data any with `output`, unless the model asks for tools or stops short (`finish_reason`)
      ---@field tool_calls { id: string, name: string, arguments: table }[]
      ---@field model string
      ---@field finish_reason string
      ---@field usage { input_tokens: integer, output_tokens: integer, estimated?: boolean }
      ---@class (exact) perigee.StreamRequest: perigee.ChatRequest
      ---@field on_token fun(text: string) gets each piece of the answer, in order; may wait, and the provider waits with it
      ---@class (exact) perigee.EmbeddingRequest
      ---@field model string vectors of different models cannot be compared: there is no default and no fallback
      ---@field input string|string[] a string counts as a list of one
      ---@field dimensions? integer length of each vector; the model's own unless said
      ---@class (exact) perigee.Embeddings
      ---@field vectors number[][]
      ---@field model string
      ---@field usage { input_tokens: integer, output_tokens: integer, estimated?: boolean }
      """,
    functions: [
      Function(
        "chat", "Asks a model and waits for its answer.",
        [Parameter("request", "perigee.ChatRequest", "the conversation")], returns: "perigee.ChatAnswer",
        capability: "llm = true", mayWait: true,
        example: #"local answer = llm.chat{ messages = { { role = "user", content = "Hi" } } }.text"#,
        body: .waits(chat, named: "llm.chat")),
      Function(
        "stream",
        "Asks a model as `llm.chat` does, and hands over each piece of the answer as it comes. An error in `on_token` "
          + "ends the call, the request to the provider included. With `output` there is one piece: the answer that fits.",
        [Parameter("request", "perigee.StreamRequest", "the conversation, and `on_token`")],
        returns: "perigee.ChatAnswer", capability: "llm = true", mayWait: true,
        example: #"""
          local answer = llm.stream{
            messages = { { role = "user", content = "Hi" } },
            on_token = function(text) log.debug(text) end,
          }
          """#),
      Function(
        "embed", "Turns texts into vectors, one for each text and in their order.",
        [Parameter("request", "perigee.EmbeddingRequest", "the texts")], returns: "perigee.Embeddings",
        capability: "llm = true", mayWait: true,
        example: #"local vectors = llm.embed{ model = "text-embedding-3-small", input = "Hi" }.vectors"#,
        body: .waits(embed, named: "llm.embed")),
    ],
    privateFunctions: [
      // One answer has a number, under which one branch gets it from the model and the other hands it to the script.
      HostFunction(
        "_llm.open", .answers({ _, scope in .integer(scope.openStream()) }, named: "llm.stream")),
      HostFunction("_llm.stream", .waits(stream, named: "llm.stream")),
      HostFunction(
        "_llm.next",
        .waits(
          { arguments, scope in
            await scope.stream(try arguments.integer(1))?.next().map { .string($0) } ?? .nil
          }, named: "llm.stream")),
    ])

  @Sendable private static func chat(_ arguments: Arguments, _ scope: ScriptScope) async throws -> LuaValue {
    try await answer(arguments, scope, onText: nil)
  }

  /// Takes the number of the answer first.
  @Sendable private static func stream(
    _ arguments: Arguments, _ scope: ScriptScope
  ) async throws -> LuaValue {
    let number = try arguments.integer(1)
    let pipe = scope.stream(number)
    defer { scope.endStream(number) }
    return try await answer(
      arguments.rest, scope
    ) { pieces in for piece in pieces { await pipe?.offer(piece) } }
  }

  private static func answer(
    _ arguments: Arguments, _ scope: ScriptScope, onText: TextListener?
  ) async throws -> LuaValue {
    try scope.need(\.models, "llm = true", for: arguments.function)
    let options = try arguments.options(
      1, ["model", "messages", "tools", "output", "temperature", "max_tokens"])
    let output: Schema?
    do {
      output = try options.json("output").map { definition throws(SchemaError) in try Schema(definition) }
    } catch let error as SchemaError {
      throw arguments.fault(1, "output: \(error)")
    }
    let tools = try (options.strings("tools") ?? []).compactMap { name -> ToolDescription? in
      guard let tool = scope.tools[name] else { throw arguments.fault(1, "there is no tool '\(name)'") }
      // What the user may not use, the model is not told of.
      guard tool.admits(scope.run.user) else { return nil }
      return ToolDescription(name: name, description: tool.description, parameters: tool.parameters)
    }
    let request = ModelRequest(
      models: try models(options) ?? scope.run.agent.models, messages: try messages(options, arguments),
      tools: tools, output: output, temperature: try options.number("temperature"),
      tokensMax: try options.integer("max_tokens"))
    // What has to fit is told when it does: a first try that is repaired could not be taken back.
    var reply = try await scope.services.chat(
      request, key: scope.key(arguments), onText: output == nil ? onText : nil)
    let answer = try await structured(&reply, request, scope, key: scope.key(arguments))
    let text = answer?.text ?? reply.text
    if output != nil, !text.isEmpty { await onText?([text]) }
    return .fields([
      "text": .string(text), "data": answer.map { .json($0.data) },
      "tool_calls": .array(reply.calls.map(call)), "model": .string(reply.model),
      "finish_reason": .string(reply.finishReason.rawValue),
      "usage": usage(reply.usage),
    ])
  }

  private static func usage(_ usage: Usage) -> LuaValue {
    .fields([
      "input_tokens": .integer(Int64(usage.inputTokens)),
      "output_tokens": .integer(Int64(usage.outputTokens)),
      "estimated": usage.isEstimated ? .bool(true) : nil,
    ])
  }

  @Sendable private static func embed(_ arguments: Arguments, _ scope: ScriptScope) async throws -> LuaValue {
    try scope.need(\.models, "llm = true", for: "llm.embed")
    let options = try arguments.options(1, ["model", "input", "dimensions"])
    guard let model = try options.string("model") else { throw arguments.fault(1, "'model' is missing") }
    let inputs: [String]?
    if case .string(let text) = options["input"] {
      inputs = [text]
    } else {
      inputs = try options.strings("input")
    }
    guard let inputs else { throw arguments.fault(1, "'input' must be a string or a list of strings") }
    let dimensions = try options.integer("dimensions")
    guard (dimensions ?? 1) > 0 else { throw arguments.fault(1, "'dimensions' must be positive") }
    let reply = try await scope.services.embed(
      EmbeddingRequest(model: model, inputs: inputs, dimensions: dimensions), key: scope.key(arguments))
    return .fields([
      "vectors": .array(reply.vectors.map { .array($0.map { .number(Double($0)) }) }),
      "model": .string(reply.model), "usage": usage(reply.usage),
    ])
  }

  private static func models(_ options: Options) throws(HostError) -> [String]? {
    if case .string(let name) = options["model"] { return [name] }
    return try options.strings("model")
  }

  private static func messages(_ options: Options, _ arguments: Arguments) throws(HostError) -> [ModelMessage]
  {
    guard let list = try options.list("messages"), !list.isEmpty else {
      throw arguments.fault(1, "'messages' must be a list of at least one message")
    }
    var messages: [ModelMessage] = []
    for (index, value) in list.enumerated() {
      guard case .table(let fields) = value,
        let role = fields.first(where: { $0.key == "role" })?.value.string,
        let said = fields.first(where: { $0.key == "content" })?.value
      else { throw arguments.fault(1, "messages[\(index + 1)] must have 'role' and 'content'") }
      let place = "messages[\(index + 1)]"
      if role == "user", case .array(let parts) = said {
        messages.append(try userMessage(parts, place, arguments))
        continue
      }
      guard let content = said.string else {
        throw arguments.fault(
          1, "\(place) must have a text as 'content'\(role == "user" ? ", or parts" : "")")
      }
      switch role {
      case "system": messages.append(.system(content))
      case "user": messages.append(.user(content))
      case "assistant": messages.append(.assistant(content, calls: []))
      default:
        throw arguments.fault(1, "messages[\(index + 1)]: role '\(role)' is none of system, user, assistant")
      }
    }
    return messages
  }

  /// What a user says in parts, as OpenAI's clients write them: texts and images.
  private static func userMessage(
    _ parts: [LuaValue], _ place: String, _ arguments: Arguments
  ) throws(HostError) -> ModelMessage {
    var (texts, images): ([String], [ModelImage]) = ([], [])
    for (index, part) in parts.enumerated() {
      let place = "\(place).content[\(index + 1)]"
      switch part["type"]?.string {
      case "text":
        guard let text = part["text"]?.string else { throw arguments.fault(1, "\(place) must have a 'text'") }
        texts.append(text)
      case "image_url":
        let image = part["image_url"]
        guard let url = image?.string ?? image?["url"]?.string else {
          throw arguments.fault(1, "\(place) must have an 'image_url' with a 'url'")
        }
        if let fault = ModelImage.fault(of: url) { throw arguments.fault(1, "\(place): its url \(fault)") }
        guard let detail = ModelImage.Detail(rawValue: image?["detail"]?.string ?? "auto") else {
          throw arguments.fault(1, "\(place): 'detail' must be auto, low or high")
        }
        images.append(ModelImage(url: url, detail: detail))
      default: throw arguments.fault(1, "\(place): 'type' must be text or image_url")
      }
    }
    guard images.count <= ModelImage.countMax else {
      throw arguments.fault(1, "\(place) has more than \(ModelImage.countMax) images")
    }
    return .user(texts.joined(separator: "\n"), images: images)
  }

  /// Reads the reply as the output that was asked for; when it does not fit, the model is asked once more.
  ///
  /// - Parameter reply: Becomes the second one, with the usage of both.
  /// - Returns: `nil` for a reply that is no answer.
  /// - Throws: ``Failure`` `upstream` when the second does not fit, or when the run may not ask for one.
  private static func structured(
    _ reply: inout ModelReply, _ request: ModelRequest, _ scope: ScriptScope, key: String
  ) async throws -> StructuredAnswer? {
    let misfit: StructuredAnswer.Misfit
    do {
      return try answer(reply, to: request)
    } catch {
      misfit = error
    }
    let usage = reply.usage
    do {
      reply = try await scope.services.chat(
        request.followed(by: misfit.repair), key: "\(key).repair", onText: nil)
    } catch let failure as Failure where failure.code == .limit {
      throw misfit.failure("'output'")
    }
    reply.usage += usage
    do {
      return try answer(reply, to: request)
    } catch {
      throw error.failure("'output'")
    }
  }

  /// `nil` when nothing structured was asked for, or when the model calls tools, refuses or was cut off.
  private static func answer(
    _ reply: ModelReply, to request: ModelRequest
  ) throws(StructuredAnswer.Misfit) -> StructuredAnswer? {
    guard let output = request.output, reply.calls.isEmpty, reply.finishReason == .stop else { return nil }
    return try StructuredAnswer(reply.text, fitting: output)
  }

  private static func call(_ request: ToolCallRequest) -> LuaValue {
    .fields([
      "id": .string(request.id), "name": .string(request.name),
      "arguments": (try? RawJSON(checking: Array(request.arguments.utf8))).map { .json($0) },
    ])
  }
}

extension LuaValue {
  fileprivate subscript(_ name: String) -> LuaValue? {
    guard case .table(let fields) = self else { return nil }
    return fields.first { $0.key == name }?.value
  }
}
