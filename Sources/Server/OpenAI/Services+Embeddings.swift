// SPDX-License-Identifier: Apache-2.0
import Core
import FoundationEssentials
import HTTPTypes
import JSONCodec

extension Services {
  /// How long a provider may take for the vectors of one request.
  private static let embeddingLimit = Duration.seconds(120)

  /// What a provider's failure is called when there is no such model, or no provider at all.
  private static let noSuchModel: Set<JSON> = ["notFound", "notConfigured"]

  var embeddingRoutes: [Route] {
    [
      Route(
        .post, "/v1/embeddings", name: "createEmbeddings",
        summary: "Turns texts into vectors, by a model of the configured providers.",
        bodySchema: "EmbeddingRequest", answers: [.init(.ok, "The vectors.", .json("EmbeddingList"))],
        fails: [.notFound, .tooManyRequests, .clientClosedRequest, .badGateway, .gatewayTimeout]
      ) { exchange in
        let body = Fields(try await exchange.object())
        let isBase64 = try body.isBase64()
        let request = try EmbeddingRequest(body)
        let vectors = Task { [runner] in
          try await runner.embed(request, as: exchange.user, within: Self.embeddingLimit)
        }
        exchange.connection?.onDeparture(vectors.cancel)
        do {
          let reply = try await vectors.value
          return .json(reply.document(isBase64: isBase64))
        } catch let error as Failure where Self.noSuchModel.contains(error.detail?["kind"] ?? .null) {
          throw Problem(
            status: .notFound, code: "model_not_found", detail: error.message,
            faults: [.init(field: "model", message: "is no model for embeddings here")])
        }
      }
    ]
  }
}

extension Fields {
  fileprivate func isBase64() throws(Problem) -> Bool {
    switch try string("encoding_format") {
    case nil, "float": return false
    case "base64": return true
    case .some: throw .wrong("encoding_format", "is none of float, base64")
    }
  }
}

extension EmbeddingRequest {
  /// Source: OpenAI API reference, Create embeddings.
  fileprivate static let inputsMax = 2048

  /// Reads the body of a request.
  ///
  /// - Throws: ``Problem`` 400 that names the field.
  fileprivate init(_ body: Fields) throws(Problem) {
    let inputs: [String]
    switch body["input"] {
    case nil: throw .missing("input")
    case .string(let text): inputs = [text]
    case .array(let elements):
      inputs = elements.compactMap(\.string)
      guard inputs.count == elements.count else {
        throw .wrong("input", "must be text; tokens are not taken", code: "unsupported_value")
      }
    case .some(let value):
      throw .wrong("input", "must be a string or a list of them, not \(value.typeName)", code: "invalid_type")
    }
    guard (1...Self.inputsMax).contains(inputs.count), !inputs.contains("") else {
      throw .wrong("input", "must be 1 to \(Self.inputsMax) texts, none of them empty")
    }
    self.init(
      model: try body.requiredString("model"), inputs: inputs, dimensions: try body.count("dimensions"))
  }
}

extension EmbeddingReply {
  fileprivate func document(isBase64: Bool) -> [UInt8] {
    var writer = JSONWriter(reservingCapacity: 256 + vectors.count * (vectors.first?.count ?? 0) * 8)
    writer.object { writer in
      writer.member("object", "list")
      writer.key("data")
      writer.array { list in
        for (index, vector) in vectors.enumerated() {
          list.object {
            $0.member("object", "embedding")
            $0.member("index", index)
            $0.key("embedding")
            if isBase64 {
              $0.write(vector.base64)
            } else {
              $0.array { for number in vector { $0.write(Double(number)) } }
            }
          }
        }
      }
      writer.member("model", model)
      writer.key("usage")
      writer.object {
        $0.member("prompt_tokens", usage.inputTokens)
        $0.member("total_tokens", usage.tokens)
      }
    }
    return writer.bytes
  }
}

extension [Float] {
  /// The numbers' 32 bits, the lowest byte first, as base64.
  fileprivate var base64: String {
    var bytes = Data(capacity: count * 4)
    for number in self {
      for shift in stride(from: 0, to: 32, by: 8) {
        bytes.append(UInt8(truncatingIfNeeded: number.bitPattern >> UInt32(shift)))
      }
    }
    return bytes.base64EncodedString()
  }
}
