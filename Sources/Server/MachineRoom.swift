// SPDX-License-Identifier: Apache-2.0

/// Whether the machine has room for more.
public struct MachineRoom: Sendable, Hashable {
  public var hasMemory: Bool
  public var hasDisk: Bool

  public init(hasMemory: Bool = true, hasDisk: Bool = true) {
    self.hasMemory = hasMemory
    self.hasDisk = hasDisk
  }
}
