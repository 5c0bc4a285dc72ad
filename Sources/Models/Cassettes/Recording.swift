// SPDX-License-Identifier: Apache-2.0
import Core
import JSONCodec

/// One exchange with a model, as a line of a cassette.
struct Recording: Sendable {
  enum Outcome: Sendable {
    /// - Parameter pieces: Lengths of the pieces in which the text came, in Unicode scalars; `nil` = it came whole.
    case reply(ModelReply, pieces: [Int]?)
    case vectors(EmbeddingReply)
    case failure(ModelError)
  }

  /// Format of a line; another one is refused.
  static let formatVersion: Int64 = 1

  let form: RequestForm
  let outcome: Outcome

  /// The line without its end.
  var line: RawJSON {
    var writer = JSONWriter()
    writer.object {
      $0.member("version", Self.formatVersion)
      $0.member("key", form.key)
      $0.member("request", form.json)
      switch outcome {
      case .reply(let reply, let pieces): $0.member("reply", Self.json(reply, pieces))
      case .vectors(let reply): $0.member("vectors", Self.json(reply))
      case .failure(let error): $0.member("error", Self.json(error))
      }
    }
    return writer.raw
  }

  init(form: RequestForm, outcome: Outcome) {
    self.form = form
    self.outcome = outcome
  }

  /// Why a line is no recording.
  struct Damage: Error {
    let message: String
  }

  init(line: some Collection<UInt8>) throws(Damage) {
    let json: JSON
    do {
      json = try JSON(parsing: Array(line))
    } catch {
      throw Damage(message: "is not JSON: \(error)")
    }
    guard let version = json["version"]?.integer else { throw Damage(message: "has no 'version'") }
    guard version == Self.formatVersion else {
      throw Damage(message: "is of format \(version); this version reads format \(Self.formatVersion)")
    }
    guard let request = json["request"], request.object != nil else {
      throw Damage(message: "has no 'request'")
    }
    form = RequestForm(json: request)
    guard json["key"]?.string == form.key else {
      throw Damage(message: "has a 'key' that is not its request's")
    }
    if let reply = json["reply"] {
      outcome = try Self.reply(reply)
    } else if let vectors = json["vectors"] {
      outcome = .vectors(try Self.vectors(vectors))
    } else if let error = json["error"] {
      outcome = .failure(try Self.error(error))
    } else {
      throw Damage(message: "has neither 'reply', 'vectors' nor 'error'")
    }
  }
}

// MARK: Replies and errors

extension Recording {
  private static func json(_ reply: ModelReply, _ pieces: [Int]?) -> JSON {
    var object = JSONObject([
      ("model", .string(reply.model)), ("text", .string(reply.text)),
      ("finish_reason", .string(reply.finishReason.rawValue)),
      ("usage", json(reply.usage)),
    ])
    if !reply.calls.isEmpty {
      object.append(
        "calls",
        .array(
          reply.calls.map {
            ["id": .string($0.id), "name": .string($0.name), "arguments": .string($0.arguments)]
          }))
    }
    if reply.usage.isEstimated { object.append("usage_estimated", true) }
    if let pieces { object.append("pieces", .array(pieces.map { .integer(Int64($0)) })) }
    return .object(object)
  }

  private static func reply(_ json: JSON) throws(Damage) -> Outcome {
    guard let text = json["text"]?.string, let model = json["model"]?.string,
      let reason = json["finish_reason"]?.string.flatMap(ModelReply.FinishReason.init(rawValue:))
    else { throw Damage(message: "has a 'reply' without 'text', 'model' or a known 'finish_reason'") }
    var calls: [ToolCallRequest] = []
    for call in json["calls"]?.array ?? [] {
      guard let id = call["id"]?.string, let name = call["name"]?.string,
        let arguments = call["arguments"]?.string
      else { throw Damage(message: "has a call without 'id', 'name' or 'arguments'") }
      calls.append(ToolCallRequest(id: id, name: name, arguments: arguments))
    }
    return .reply(
      ModelReply(model: model, text: text, calls: calls, finishReason: reason, usage: usage(json)),
      pieces: json["pieces"]?.array?.map { Int(clamping: max(0, $0.integer ?? 0)) })
  }

  private static func json(_ usage: Usage) -> JSON {
    [
      "input_tokens": .integer(Int64(clamping: usage.inputTokens)),
      "output_tokens": .integer(Int64(clamping: usage.outputTokens)),
      "cost_usd": usage.costUSD.map { .number($0) } ?? .null,
    ]
  }

  /// Reads `usage` and `usage_estimated` of a reply.
  private static func usage(_ json: JSON) -> Usage {
    func count(_ name: String) -> Int { Int(clamping: max(0, json["usage"]?[name]?.integer ?? 0)) }
    return Usage(
      inputTokens: count("input_tokens"), outputTokens: count("output_tokens"),
      costUSD: json["usage"]?["cost_usd"]?.double, isEstimated: json["usage_estimated"] == true)
  }

  private static func json(_ reply: EmbeddingReply) -> JSON {
    var object = JSONObject([
      ("model", .string(reply.model)), ("data", .array(reply.vectors.map { .string(Base64.encode($0)) })),
      ("usage", json(reply.usage)),
    ])
    if reply.usage.isEstimated { object.append("usage_estimated", true) }
    return .object(object)
  }

  private static func vectors(_ json: JSON) throws(Damage) -> EmbeddingReply {
    let vectors = json["data"]?.array?.compactMap { $0.string.flatMap(Base64.floats) }
    guard let model = json["model"]?.string, let vectors, vectors.count == json["data"]?.array?.count else {
      throw Damage(message: "has 'vectors' without 'model' or 'data' in base64")
    }
    return EmbeddingReply(model: model, vectors: vectors, usage: usage(json))
  }

  private static func json(_ error: ModelError) -> JSON {
    var object = JSONObject([("kind", .string(error.kind.rawValue)), ("message", .string(error.message))])
    if let status = error.status { object.append("status", .integer(Int64(status))) }
    if let seconds = error.retryAfterSeconds { object.append("retry_after", .number(seconds)) }
    if let usage = error.usage {
      object.append("usage", json(usage))
      if usage.isEstimated { object.append("usage_estimated", true) }
    }
    return .object(object)
  }

  private static func error(_ json: JSON) throws(Damage) -> ModelError {
    guard let kind = json["kind"]?.string.flatMap(ModelError.Kind.init(rawValue:)),
      let message = json["message"]?.string
    else { throw Damage(message: "has an 'error' without a known 'kind' or a 'message'") }
    return ModelError(
      kind, message, status: json["status"]?.integer.map { Int(clamping: $0) },
      retryAfterSeconds: json["retry_after"]?.double, usage: json["usage"] == nil ? nil : usage(json))
  }
}
