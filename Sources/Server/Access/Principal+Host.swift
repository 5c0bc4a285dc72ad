// SPDX-License-Identifier: Apache-2.0
import Core

extension Principal {
  /// Whether they run the host as a whole, and not a tenant's part of it.
  var runsHost: Bool { visibility == .everyone }

  /// - Parameter what: What they want, and `is` or `are`.
  /// - Throws: ``Failure`` `denied` for who does not run the host as a whole.
  func mayRunHost(_ what: String) throws(Failure) {
    guard isOperator else { throw Failure(.denied, "\(what) for operators and admins") }
    guard runsHost else {
      throw Failure(.denied, "\(what) the host's, and not for a tenant's operators and admins")
    }
  }
}
