// SPDX-License-Identifier: Apache-2.0
import JSONCodec

/// The messages of `opentelemetry/proto/trace/v1/trace.proto`, one function each.
struct OTLPEncoder {
  let limits: OTLP.Limits

  func request(
    _ spans: some Collection<Span>, _ resource: Resource, _ scope: OTLP.Scope, to writer: inout JSONWriter
  ) {
    writer.object {
      $0.key("resourceSpans")
      $0.array {
        $0.object {
          $0.key("resource")
          $0.object { attributes(resource.attributes, to: &$0) }
          $0.key("scopeSpans")
          $0.array {
            $0.object {
              $0.key("scope")
              $0.object {
                $0.member("name", scope.name)
                $0.member("version", scope.version)
              }
              $0.key("spans")
              $0.array { for one in spans { span(one, to: &$0) } }
            }
          }
        }
      }
    }
  }

  private func span(_ span: Span, to writer: inout JSONWriter) {
    writer.object {
      $0.member("traceId", span.traceID.hex)
      $0.member("spanId", span.spanID.hex)
      if !span.traceState.isEmpty { $0.member("traceState", value(span.traceState)) }
      if let parent = span.parentID { $0.member("parentSpanId", parent.hex) }
      $0.member("flags", Self.flags(span.flags, isRemote: span.isParentRemote))
      $0.member("name", name(span.name))
      $0.member("kind", span.kind.rawValue)
      $0.member("startTimeUnixNano", Self.time(span.startUnixNanoseconds))
      // Backends refuse a negative duration, which a step of the clock can make.
      $0.member("endTimeUnixNano", Self.time(max(span.startUnixNanoseconds, span.endUnixNanoseconds)))
      attributes(span.attributes, to: &$0)
      switch span.status {
      case .unset: break
      case .ok: $0.member("status", ["code": 1])
      case .error(let message):
        $0.member("status", ["message": .string(value(message)), "code": 2])
      }
    }
  }

  private func attributes(_ attributes: Attributes, to writer: inout JSONWriter) {
    // An empty name is none. Source: OpenTelemetry specification, "Attribute".
    let named =
      attributes.members.contains { $0.name.isEmpty }
      ? attributes.members.filter { !$0.name.isEmpty } : attributes.members
    let kept = named.prefix(limits.attributesMax)
    if !kept.isEmpty {
      writer.key("attributes")
      writer.array {
        for member in kept {
          $0.object {
            $0.member("key", name(member.name))
            $0.key("value")
            anyValue(member.value, to: &$0)
          }
        }
      }
    }
    let dropped = attributes.count - kept.count
    if dropped > 0 { writer.member("droppedAttributesCount", dropped) }
  }

  private func anyValue(_ value: Attributes.Value, to writer: inout JSONWriter) {
    writer.object {
      switch value {
      case .string(let text): $0.member("stringValue", self.value(text))
      case .bool(let bool): $0.member("boolValue", bool)
      case .int(let int): $0.member("intValue", String(int))
      case .double(let double):
        if double.isFinite {
          $0.member("doubleValue", double)
        } else {
          // As the JSON mapping of Protocol Buffers spells what JSON cannot.
          $0.member("doubleValue", double.isNaN ? "NaN" : double > 0 ? "Infinity" : "-Infinity")
        }
      case .strings(let texts):
        $0.key("arrayValue")
        $0.object {
          $0.key("values")
          $0.array { writer in
            for text in bounded(texts) { writer.object { $0.member("stringValue", text) } }
          }
        }
      }
    }
  }

  /// As many of the texts as fit, and how many there are besides.
  private func bounded(_ texts: [String]) -> [String] {
    var room = limits.valueBytesMax
    var kept: [String] = []
    for (place, text) in texts.enumerated() {
      guard room > 0 else {
        kept.append("… (\(texts.count - place) elements dropped)")
        break
      }
      kept.append(Self.cut(text, to: room))
      room -= text.utf8.count + 16
    }
    return kept
  }

  private func value(_ text: String) -> String { Self.cut(text, to: limits.valueBytesMax) }
  private func name(_ text: String) -> String { Self.cut(text, to: limits.nameBytesMax) }

  /// The text, or as many whole characters of Unicode as fit and how many bytes there are besides.
  static func cut(_ text: String, to bytesMax: Int) -> String {
    let bytes = text.utf8
    if bytes.count <= bytesMax { return text }
    var end = bytes.index(bytes.startIndex, offsetBy: bytesMax)
    while UTF8.isContinuation(bytes[end]) { end = bytes.index(before: end) }
    let dropped = bytes.distance(from: end, to: bytes.endIndex)
    return "\(text[..<end])… (\(dropped) bytes dropped)"
  }

  private static func time(_ unixNanoseconds: Int64) -> String { String(max(0, unixNanoseconds)) }

  /// The flags of the trace, and whether the parent is another process's (bit 9), which is known (bit 8).
  ///
  /// Source: opentelemetry-proto, `SpanFlags`.
  private static func flags(_ flags: TraceFlags, isRemote: Bool) -> Int {
    Int(flags.rawValue) | 0x100 | (isRemote ? 0x200 : 0)
  }
}
