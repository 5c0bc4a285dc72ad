// SPDX-License-Identifier: Apache-2.0

/// What the operator has to mend: an endpoint that cannot be used, a list that cannot be read.
public struct TelemetryError: Error, Sendable, Hashable, CustomStringConvertible {
  /// One line without any value that was given: endpoints and headers hold secrets.
  public let message: String
  /// How to mend it.
  public let hint: String?

  init(_ message: String, hint: String? = nil) {
    self.message = message
    self.hint = hint
  }

  public var description: String { message }
}
