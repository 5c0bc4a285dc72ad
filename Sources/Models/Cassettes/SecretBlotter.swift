// SPDX-License-Identifier: Apache-2.0
import Guardrails
import JSONCodec

/// Takes secrets out of texts that are written down: those that it knows, and what has the shape of a key.
public struct SecretBlotter: Sendable {
  /// One of fewer bytes is no secret but a word.
  private static let secretBytesMin = 6

  private let secrets: [String]

  public init(_ secrets: [String]) {
    let long = secrets.filter { $0.utf8.count >= Self.secretBytesMin }
    // Within JSON one may be spelled in another way.
    self.secrets = Set(long + long.map { String(RawJSON(.string($0)).text.dropFirst().dropLast()) })
      // A secret may be part of another.
      .sorted { ($0.utf8.count, $0) > ($1.utf8.count, $1) }
  }

  public func blot(_ text: String) -> String {
    Self.inspector.masked(withoutKnown(text), style: .label)
  }

  private static let inspector = Inspector(Detector.Category.secrets.detectors)

  /// Without the secrets that are known.
  func withoutKnown(_ text: String) -> String {
    secrets.reduce(text) { $0.replacing($1, with: "[secret]") }
  }
}
