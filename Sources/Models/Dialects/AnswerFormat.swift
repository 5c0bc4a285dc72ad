// SPDX-License-Identifier: Apache-2.0
import Core
import JSONCodec

/// The schema of a structured answer, as the members that every OpenAI dialect has for it.
enum AnswerFormat {
  /// What the schema is called on the wire.
  static let name = "answer"

  static func write(_ output: Schema, to writer: inout JSONWriter) {
    writer.member("name", name)
    writer.member("schema", output.strict ?? output.json)
    if output.strict != nil { writer.member("strict", true) }
  }
}
