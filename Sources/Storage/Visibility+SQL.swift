// SPDX-License-Identifier: Apache-2.0
import Core

extension Visibility {
  /// What a column with a user's id has to be, by the parameters ?1 and ?2, which ``SQLStatement/bind(_:)`` fills.
  func condition(_ column: String) -> String {
    switch self {
    case .everyone: "TRUE"
    case .tenant: "(\(column) >= ?1 AND \(column) < ?2)"
    case .user: "\(column) = ?1"
    }
  }

  /// Narrows rows with a `user_id` down to a tenant's, by ?1, in the order of an index on tenants; others stay as
  /// they are. A tenant is all up to the first slash.
  var tenantCondition: String {
    guard case .tenant = self else { return "TRUE" }
    return "(instr(user_id, '/') > 0 AND substr(user_id, 1, instr(user_id, '/')) = ?1)"
  }

  /// Names the index by which a tenant's rows are found: without figures SQLite would look through everybody's.
  func index(_ name: String) -> String {
    if case .tenant = self { "INDEXED BY \(name)" } else { "" }
  }
}

extension SQLStatement {
  func bind(_ visibility: Visibility) {
    switch visibility {
    case .everyone: break
    case .tenant(let tenant):
      bind(1, tenant.ids.lowerBound)
      bind(2, tenant.ids.upperBound)
    case .user(let id): bind(1, id)
    }
  }
}
