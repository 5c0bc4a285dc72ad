// SPDX-License-Identifier: Apache-2.0
public import JSONCodec

extension ModelReply {
  /// All of it, for the journal.
  var json: RawJSON {
    var writer = JSONWriter(reservingCapacity: text.utf8.count + 160)
    writer.object {
      $0.member("model", model)
      if !text.isEmpty { $0.member("text", text) }
      if !calls.isEmpty {
        $0.key("calls")
        $0.array { list in
          for call in calls {
            list.object {
              $0.member("id", call.id)
              $0.member("name", call.name)
              $0.member("arguments", call.arguments)
            }
          }
        }
      }
      $0.member("finish", finishReason.rawValue)
      $0.key("usage")
      $0.object { usage.write(to: &$0) }
      if let verbatim {
        $0.key("verbatim")
        $0.object {
          $0.member("origin", verbatim.origin)
          $0.key("items")
          $0.array { for item in verbatim.items { $0.write(item) } }
        }
      }
    }
    return writer.raw
  }

  /// Reads ``json``; `nil` when it is something else.
  public init?(json: JSON) {
    guard let model = json["model"]?.string,
      let finish = json["finish"]?.string.flatMap(FinishReason.init(rawValue:))
    else { return nil }
    self.init(
      model: model, text: json["text"]?.string ?? "",
      calls: (json["calls"]?.array ?? []).map {
        ToolCallRequest(
          id: $0["id"]?.string ?? "", name: $0["name"]?.string ?? "", arguments: $0["arguments"]?.string ?? ""
        )
      }, finishReason: finish, usage: Usage(json: json["usage"] ?? .null),
      verbatim: json["verbatim"].map {
        VerbatimAnswer(
          origin: $0["origin"]?.string ?? "", items: ($0["items"]?.array ?? []).map { RawJSON($0) })
      })
  }
}

extension Usage {
  /// Writes the members of an object.
  func write(to writer: inout JSONWriter) {
    writer.member("input", inputTokens)
    writer.member("output", outputTokens)
    if let costUSD { writer.member("cost_usd", costUSD) }
    if isEstimated { writer.member("estimated", true) }
  }

  init(json: JSON) {
    self.init(
      inputTokens: Int(clamping: json["input"]?.integer ?? 0),
      outputTokens: Int(clamping: json["output"]?.integer ?? 0), costUSD: json["cost_usd"]?.double,
      isEstimated: json["estimated"]?.bool ?? false)
  }
}

extension ModelRequest {
  /// Of what the model is asked.
  var digest: UInt64 {
    var hash = StableHash()
    for message in messages { hash.combine(message.digest) }
    for tool in tools { hash.combine(tool.name) }
    if let output { hash.combine(output.json.bytes) }
    return hash.value
  }
}

extension ModelError {
  /// The failure that the journal keeps.
  var recorded: Failure {
    var detail = JSONObject([("kind", .string(kind.rawValue))])
    if let status { detail["status"] = .integer(Int64(status)) }
    if let usage {
      var writer = JSONWriter()
      writer.object { usage.write(to: &$0) }
      detail["usage"] = try? writer.raw.value()
    }
    return Failure(
      .upstream, message, detail: .object(detail), retryAfterSeconds: retryAfterSeconds,
      diagnostic: diagnostic)
  }

  /// Reads ``recorded``; `nil` for any other failure.
  convenience init?(recorded failure: Failure) {
    guard let kind = failure.detail?["kind"]?.string.flatMap(Kind.init(rawValue:)) else { return nil }
    self.init(
      kind, failure.message, status: failure.detail?["status"]?.integer.map { Int($0) },
      retryAfterSeconds: failure.retryAfterSeconds, diagnostic: failure.diagnostic,
      usage: failure.detail?["usage"].map { Usage(json: $0) })
  }
}
