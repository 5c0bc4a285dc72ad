// SPDX-License-Identifier: Apache-2.0
import Core
import JSONCodec

/// The body of a request for embeddings.
///
/// Source: OpenAI API reference, `POST /embeddings`; others speak the same.
struct EmbeddingsRequest {
  /// Inputs of one request. Source: OpenAI API reference.
  static let inputsMax = 2048
  /// Bytes of their text: the service takes 300,000 tokens at once, and a token has seldom less than two bytes.
  static let bytesMax = 512 << 10

  let model: String
  let inputs: ArraySlice<String>
  let dimensions: Int?

  func encoded() -> [UInt8] {
    var writer = JSONWriter(reservingCapacity: inputs.reduce(128) { $0 + $1.utf8.count + 8 })
    writer.object { writer in
      writer.member("model", model)
      writer.key("input")
      writer.array { for input in inputs { $0.write(input) } }
      // A quarter of the bytes, and nothing to parse.
      writer.member("encoding_format", "base64")
      if let dimensions { writer.member("dimensions", dimensions) }
    }
    return writer.bytes
  }

  /// Cuts inputs into requests; one that is too long goes alone.
  static func batches(of inputs: [String], bytesMax: Int = bytesMax) -> [ArraySlice<String>] {
    var batches: [ArraySlice<String>] = []
    var start = 0
    var bytes = 0
    for (index, input) in inputs.enumerated() {
      let count = input.utf8.count
      if index > start, index - start == inputsMax || bytes + count > bytesMax {
        batches.append(inputs[start..<index])
        start = index
        bytes = 0
      }
      bytes += count
    }
    if start < inputs.count { batches.append(inputs[start...]) }
    return batches
  }
}
