// SPDX-License-Identifier: Apache-2.0
public import JSONCodec

extension Failure {
  /// All of it, for the journal.
  public var json: RawJSON {
    var writer = JSONWriter()
    writer.object {
      $0.member("code", code.rawValue)
      $0.member("message", message)
      if retryable { $0.member("retryable", true) }
      if let detail { $0.member("detail", detail) }
      if let retryAfterSeconds { $0.member("retry_after", retryAfterSeconds) }
      if let diagnostic { $0.member("diagnostic", diagnostic) }
    }
    return writer.raw
  }

  /// Reads ``json``.
  public init(json: JSON) {
    self.init(
      Code(rawValue: json["code"]?.string ?? Code.internal.rawValue), json["message"]?.string ?? "",
      retryable: json["retryable"]?.bool ?? false, detail: json["detail"],
      retryAfterSeconds: json["retry_after"]?.double, diagnostic: json["diagnostic"]?.string)
  }
}

extension RawJSON {
  /// Equal for equal values, in whatever order their keys stand.
  var digest: UInt64 {
    var hash = StableHash()
    hash.combine(((try? value())?.canonical ?? self).bytes)
    return hash.value
  }
}
