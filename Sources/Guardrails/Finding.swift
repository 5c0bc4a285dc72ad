// SPDX-License-Identifier: Apache-2.0

/// One thing that was found in a text.
public struct Finding: Sendable, Hashable {
  public let detector: Detector
  /// UTF-8 offsets into the inspected text, on the borders of Unicode scalars.
  public internal(set) var range: Range<Int>

  public init(detector: Detector, range: Range<Int>) {
    self.detector = detector
    self.range = range
  }
}
