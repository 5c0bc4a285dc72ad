// SPDX-License-Identifier: Apache-2.0

extension Span {
  /// About how many bytes the span takes in memory, which bounds its part of a request too.
  ///
  /// Complexity: O(number of attributes); texts are not read.
  var approximateBytes: Int {
    var bytes = 256 + name.utf8.count + traceState.utf8.count + attributes.approximateBytes
    if case .error(let message) = status { bytes += message.utf8.count }
    return bytes
  }
}

extension Attributes {
  fileprivate var approximateBytes: Int {
    members.reduce(0) { sum, member in
      let value =
        switch member.value {
        case .string(let text): text.utf8.count
        case .strings(let texts): texts.reduce(0) { $0 + 24 + $1.utf8.count }
        case .bool, .int, .double: 8
        }
      return sum + 40 + member.name.utf8.count + value
    }
  }
}
