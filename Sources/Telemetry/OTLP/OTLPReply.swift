// SPDX-License-Identifier: Apache-2.0
import JSONCodec

/// What the collector's answer means for the spans that were sent.
///
/// Source: OTLP specification 1.x, "OTLP/HTTP Response": 2xx is success, of 429, 502, 503 and 504 one may
/// try again, and a partial success is not tried again.
enum OTLPReply: Sendable, Hashable {
  /// - Parameters:
  ///   - rejected: Spans that the collector would not have.
  ///   - note: Its own words, one line; `nil` for none.
  case accepted(rejected: Int, note: String?)
  case tryAgain(afterSeconds: Int?)
  case refused

  /// Bodies beyond this are not read: a partial success is a number and a sentence.
  private static let bodyBytesMax = 64 * 1024
  private static let noteCharactersMax = 200

  init(_ response: SpanExporter.Response, spanCount: Int) {
    switch response.status {
    case 200..<300: self = Self.accepted(response.body, spanCount: spanCount)
    case 429, 502, 503, 504: self = .tryAgain(afterSeconds: response.retryAfterSeconds)
    default: self = .refused
    }
  }

  /// A body that is not JSON, or is empty, says nothing: the status has said that all is well.
  private static func accepted(_ body: [UInt8], spanCount: Int) -> OTLPReply {
    guard !body.isEmpty, body.count <= bodyBytesMax, let reply = try? JSON(parsing: body),
      let partial = reply["partialSuccess"]
    else { return .accepted(rejected: 0, note: nil) }
    // 64-bit integers come as texts from those who keep to the mapping, as numbers from the others.
    let written = partial["rejectedSpans"]
    let rejected = written?.integer ?? written?.string.flatMap { Int64($0) } ?? 0
    let note = partial["errorMessage"]?.string.flatMap { $0.isEmpty ? nil : line($0) }
    return .accepted(rejected: Int(min(max(0, rejected), Int64(spanCount))), note: note)
  }

  /// One line of bounded length, without what a terminal or a log would obey.
  private static func line(_ text: String) -> String {
    var line = String.UnicodeScalarView()
    for scalar in text.unicodeScalars.prefix(noteCharactersMax) {
      switch scalar.properties.generalCategory {
      case .control, .format, .lineSeparator, .paragraphSeparator: line.append(" ")
      default: line.append(scalar)
      }
    }
    return String(line)
  }
}
