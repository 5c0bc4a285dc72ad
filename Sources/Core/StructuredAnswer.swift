// SPDX-License-Identifier: Apache-2.0
public import JSONCodec

/// A model's text, read as the structured output that was asked for.
public struct StructuredAnswer: Sendable, Hashable {
  /// The JSON that the model wrote, without the fence that may have been around it.
  public let text: String
  /// Checked and defaulted.
  public let data: RawJSON

  /// - Parameter text: Of a reply that came to its end: a refusal is no answer.
  /// - Throws: ``Misfit`` when it is not JSON, or not of the schema.
  public init(_ text: String, fitting schema: Schema) throws(Misfit) {
    self.text = Self.withoutFence(text)
    do {
      data = RawJSON(try schema.validate(try JSON(parsing: self.text)))
    } catch let violation as SchemaViolation {
      throw Misfit(text: text, faults: violation.faults)
    } catch {
      throw Misfit(text: text, faults: [.init(path: "", message: "is not JSON: \(error)")])
    }
  }

  /// Models put JSON into a code fence even when they are told not to.
  private static func withoutFence(_ text: String) -> String {
    let text = text.trimmed
    guard text.hasPrefix("```"), text.hasSuffix("```"), text.count > 6 else { return String(text) }
    // The word behind the opening fence names the language.
    return String(String(text.dropFirst(3).dropLast(3).drop(while: \.isLetter)).trimmed)
  }
}

extension StructuredAnswer {
  /// An answer that does not fit.
  public struct Misfit: Error, Sendable, Hashable {
    /// As the model wrote it.
    public let text: String
    public let faults: [SchemaViolation.Fault]

    /// Faults that the model is told of; a long list with one mistake has as many as items.
    private static let faultsMax = 20

    private var summary: String {
      let told = faults.prefix(Self.faultsMax).map(\.description).joined(separator: "; ")
      let rest = faults.count - Self.faultsMax
      return rest > 0 ? "\(told); and \(rest) more" : told
    }

    /// What the model is asked next: its own answer, and what is wrong with it.
    public var repair: [ModelMessage] {
      let request = ModelMessage.user(
        "Your answer does not fit the schema that was asked for: \(summary). "
          + "Answer again with the whole corrected JSON and nothing else.")
      // Some providers refuse an empty message.
      return text.allSatisfy(\.isWhitespace) ? [request] : [.assistant(text, calls: []), request]
    }

    /// What the run ends with when repair did not help.
    ///
    /// - Parameter what: What the answer should have been.
    /// - Returns: `upstream`; `detail` has `kind` (`output`), `text`, as the model wrote it, and `faults`.
    public func failure(_ what: String) -> Failure {
      Failure(
        .upstream, "the model's answer does not fit \(what): \(summary)", retryable: true,
        detail: [
          "kind": "output", "text": .string(text),
          "faults": .array(faults.map { ["path": .string($0.path), "message": .string($0.message)] }),
        ])
    }
  }
}

extension Failure {
  /// The answer of a model that did not fit, which is kept with its turn.
  var misfittingText: String? {
    guard code == .upstream, detail?["kind"] == "output" else { return nil }
    return detail?["text"]?.string
  }

  func withMisfittingText(_ text: String) -> Failure {
    var detail = detail?.object ?? JSONObject()
    detail["text"] = .string(text)
    return Failure(code, message, retryable: retryable, detail: .object(detail), diagnostic: diagnostic)
  }
}

extension String {
  /// Without white space at either end.
  fileprivate var trimmed: Substring {
    var text = drop(while: \.isWhitespace)
    while text.last?.isWhitespace == true { text.removeLast() }
    return text
  }
}
