// SPDX-License-Identifier: Apache-2.0
import JSONCodec

/// Writes spans as OTLP/HTTP has them in JSON.
///
/// Source: OTLP specification 1.x, "JSON Protobuf Encoding" (lowerCamelCase names, ids in hexadecimal,
/// enumerations as numbers), and the JSON mapping of Protocol Buffers 3 (64-bit integers as decimal texts).
public enum OTLP {
  /// `Content-Type` of a request.
  public static let contentType = "application/json"

  /// How much of a span is sent. What is cut or left out is said in its place, or in a `dropped…Count`.
  public struct Limits: Sendable, Hashable {
    /// Of UTF-8, in a text; in all texts of a list, where each counts 16 more. 32 KiB: backends refuse much
    /// longer ones.
    public var valueBytesMax = 32 * 1024
    /// Of UTF-8, in the name of a span or an attribute.
    public var nameBytesMax = 1024
    /// Of a span. Source: OpenTelemetry specification, "Span Limits" (default 128).
    public var attributesMax = 128

    public init() {}
  }

  /// What made the spans. Source: opentelemetry-proto, `InstrumentationScope`.
  public struct Scope: Sendable, Hashable {
    public var name: String
    public var version: String

    public init(name: String = "perigee", version: String) {
      self.name = name
      self.version = version
    }
  }

  /// Writes an `ExportTraceServiceRequest`.
  ///
  /// - Returns: JSON, UTF-8; some 300 bytes a span, 60 an attribute, and their texts.
  public static func encode(
    _ spans: some Collection<Span>, resource: Resource, scope: Scope, limits: Limits = Limits()
  ) -> [UInt8] {
    var writer = JSONWriter(reservingCapacity: 1024 + 1024 * spans.count)
    OTLPEncoder(limits: limits).request(spans, resource, scope, to: &writer)
    return writer.bytes
  }
}
