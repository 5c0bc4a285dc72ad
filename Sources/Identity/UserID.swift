// SPDX-License-Identifier: Apache-2.0
import Core

/// What may name a user: printable ASCII.
///
/// Names that look alike are different users to the database, and the same to a comparison by Unicode: of ASCII there is
/// one spelling. Source: OpenID Connect Core 1.0, 2 (`sub` has ASCII characters only).
enum UserID {
  static let bytesMax = 256
  /// Perigee's own users: schedules, evals.
  static let reservedPrefix = "perigee:"
  /// Users whom the local user names in requests.
  static let localPrefix = "\(Principal.local.id)/"
  /// People who write by a messenger, which alone says who they are.
  private static let channelPrefixes = ["whatsapp:", "telegram:"]

  /// Why `id` may not name a user; `nil` when it may. The words do not repeat the id.
  ///
  /// - Parameter tenant: Whose user it is to be; the bytes of both count.
  static func fault(in id: String, of tenant: Tenant? = nil) -> String? {
    if let tenant, !id.isEmpty, tenant.id(of: id).utf8.count > bytesMax {
      return "the user's id and its tenant must have at most \(bytesMax) bytes"
    }
    if id.isEmpty || id.utf8.count > bytesMax { return "the user's id must have 1 to \(bytesMax) bytes" }
    if !id.utf8.allSatisfy({ (0x20...0x7E).contains($0) }) || id.first == " " || id.last == " " {
      return "the user's id must be of printable ASCII characters"
    }
    // What was made before there was authentication is not for whoever bears that name.
    if id == Principal.local.id { return "the id '\(id)' is reserved" }
    if id.lowercased().hasPrefix(localPrefix) { return "ids that begin with '\(localPrefix)' are reserved" }
    if id.lowercased().hasPrefix(reservedPrefix) {
      return "ids that begin with '\(reservedPrefix)' are reserved"
    }
    if let prefix = channelPrefixes.first(where: { id.lowercased().hasPrefix($0) }) {
      return "ids that begin with '\(prefix)' are reserved"
    }
    return nil
  }

  /// Whether a user without a tenant would pass for one of a tenant by that id.
  static func mayBeOfTenant(_ id: String) -> Bool { id.utf8.contains(UInt8(ascii: "/")) }

  /// No control, format, private or unassigned characters; no space but U+0020, and that one not at an end.
  static func isPrintable(_ text: String) -> Bool {
    let scalars = text.unicodeScalars
    if scalars.first == " " || scalars.last == " " { return false }
    return scalars.allSatisfy { scalar in
      if scalar.isASCII { return (0x20...0x7E).contains(scalar.value) }
      switch scalar.properties.generalCategory {
      case .control, .format, .surrogate, .privateUse, .unassigned: return false
      case .lineSeparator, .paragraphSeparator, .spaceSeparator: return false
      default: return true
      }
    }
  }
}
