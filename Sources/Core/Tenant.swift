// SPDX-License-Identifier: Apache-2.0

/// A namespace of users: the id of each begins with its name and a slash, which no name has.
///
/// So whatever is kept, counted or limited by user is apart by tenant too.
public struct Tenant: Sendable, Hashable {
  public static let nameBytesMax = 64
  /// What may be a name, in words.
  public static let rule = "1 to \(nameBytesMax) of A-Z, a-z, 0-9, '.', '_' and '-', and not 'local'"

  public let name: String

  /// - Returns: `nil` for what does not fit ``rule``: users below `local/` are the local user's own.
  public init?(_ name: String) {
    guard (1...Self.nameBytesMax).contains(name.utf8.count),
      name.utf8.allSatisfy(Self.isAllowed), name.lowercased() != Principal.local.id
    else { return nil }
    self.name = name
  }

  /// The full id of one of its users.
  public func id(of user: String) -> String { prefix + user }

  /// The full id that a name stands for: by itself it is one of its own users, whatever it looks like.
  public func id(named name: String) -> String { holds(name) ? name : id(of: name) }

  /// Whether that is the full id of one of its users.
  public func holds(_ userID: String) -> Bool { userID.utf8.starts(with: prefix.utf8) }

  /// The full ids of its users, by bytes.
  public var ids: Range<String> { prefix..<"\(name)0" }

  private var prefix: String { "\(name)/" }

  private static func isAllowed(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "-"):
      true
    default: false
    }
  }
}

/// Whose rows somebody sees, and may act upon.
public enum Visibility: Sendable, Hashable {
  /// And what is the host's own.
  case everyone
  case tenant(Tenant)
  case user(String)

  /// - Parameter userID: `nil` = it is the host's own.
  public func admits(_ userID: String?) -> Bool {
    switch self {
    case .everyone: true
    case .tenant(let tenant): userID.map(tenant.holds) ?? false
    case .user(let id): userID == id
    }
  }
}

extension Principal {
  /// Whether they see what is not theirs: that of their tenant, or everybody's where they have none.
  public var isOperator: Bool { roles.contains("operator") || roles.contains("admin") }

  /// As far as any of their roles reaches.
  public var reach: Visibility { tenant.map(Visibility.tenant) ?? .everyone }

  public var visibility: Visibility { isOperator ? reach : .user(id) }

  /// The full id of whom they name: by itself a name is one of their own tenant.
  public func id(named name: String) -> String { tenant?.id(named: name) ?? name }
}
