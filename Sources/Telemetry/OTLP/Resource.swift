// SPDX-License-Identifier: Apache-2.0

/// Says of which process the spans are.
public struct Resource: Sendable, Hashable {
  public var attributes: Attributes

  public init(_ attributes: Attributes) { self.attributes = attributes }

  /// The process, and what the operator says of it, whose word counts.
  ///
  /// - Parameters:
  ///   - instanceID: Unique to this process; a random UUID, say.
  ///   - environmentAttributes: `OTEL_RESOURCE_ATTRIBUTES`, `k=v,k2=v2`, percent-encoded; of a repeated
  ///     name the last counts.
  ///   - environmentServiceName: `OTEL_SERVICE_NAME`, which goes before the other variable's
  ///     `service.name`; empty is as good as none.
  /// - Throws: ``TelemetryError`` for attributes that cannot be read.
  ///
  /// Source: OpenTelemetry semantic conventions, `service.*`; specification, "Resource SDK".
  public init(
    serviceName: String = "perigee", serviceVersion: String, instanceID: String,
    environmentAttributes: String? = nil, environmentServiceName: String? = nil
  ) throws(TelemetryError) {
    attributes = [
      "service.name": .string(serviceName), "service.version": .string(serviceVersion),
      "service.instance.id": .string(instanceID),
    ]
    let pairs = try KeyValueList.parse(environmentAttributes ?? "", of: "OTEL_RESOURCE_ATTRIBUTES")
    for (name, value) in pairs { attributes[name] = .string(value) }
    if let name = environmentServiceName, !name.isEmpty { attributes["service.name"] = .string(name) }
  }
}
