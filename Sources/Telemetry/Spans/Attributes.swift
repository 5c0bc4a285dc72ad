// SPDX-License-Identifier: Apache-2.0

/// Names and values in the order in which they were given; a name comes once.
///
/// Look-up is linear: a span has a dozen.
public struct Attributes: Sendable, Hashable, ExpressibleByDictionaryLiteral {
  /// What a name may stand for. Source: OpenTelemetry specification, "Attribute".
  public enum Value: Sendable, Hashable {
    case string(String)
    case bool(Bool)
    case int(Int64)
    case double(Double)
    case strings([String])
  }

  public struct Member: Sendable, Hashable {
    public let name: String
    public var value: Value
  }

  public private(set) var members: [Member] = []

  public init() {}

  /// The last of a repeated name counts.
  public init(dictionaryLiteral elements: (String, Value)...) {
    members.reserveCapacity(elements.count)
    for (name, value) in elements { self[name] = value }
  }

  public var count: Int { members.count }
  public var isEmpty: Bool { members.isEmpty }

  /// Writing `nil` removes the name.
  public subscript(name: String) -> Value? {
    get { members.first { $0.name == name }?.value }
    set {
      let place = members.firstIndex { $0.name == name }
      switch (place, newValue) {
      case (let place?, let value?): members[place].value = value
      case (let place?, nil): members.remove(at: place)
      case (nil, let value?): members.append(Member(name: name, value: value))
      case (nil, nil): break
      }
    }
  }

  /// Sets all that `other` has.
  public mutating func merge(_ other: Attributes) {
    for member in other.members { self[member.name] = member.value }
  }
}

extension Attributes.Value: ExpressibleByStringLiteral, ExpressibleByBooleanLiteral,
  ExpressibleByIntegerLiteral, ExpressibleByFloatLiteral, ExpressibleByArrayLiteral
{
  public init(stringLiteral value: String) { self = .string(value) }
  public init(booleanLiteral value: Bool) { self = .bool(value) }
  public init(integerLiteral value: Int64) { self = .int(value) }
  public init(floatLiteral value: Double) { self = .double(value) }
  public init(arrayLiteral elements: String...) { self = .strings(elements) }
}
