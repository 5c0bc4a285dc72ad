// SPDX-License-Identifier: Apache-2.0
import CLuaHost

/// What a script run against the C libraries alone came to.
struct LibraryProbe {
  let succeeded: Bool
  /// The script's first result, or the error message.
  let text: String
  /// Charged under a budget.
  let units: Int

  /// - Parameter budget: Units that the libraries may charge; 0 is no bound.
  init(_ script: String, budget: Int = 0) {
    var out: UnsafeMutablePointer<CChar>?
    var units = 0
    let status = script.utf8CString.withUnsafeBufferPointer {
      clh_probe($0.baseAddress, $0.count - 1, budget, &out, &units)
    }
    succeeded = status == 0
    text = out.map { String(cString: $0) } ?? ""
    self.units = units
    clh_probe_free(out)
  }
}
