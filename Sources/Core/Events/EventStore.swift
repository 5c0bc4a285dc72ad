// SPDX-License-Identifier: Apache-2.0

/// Keeps what happened: each event once, with what it tells of or not at all, in one order for all.
///
/// The end of a run is kept by ``Store/closeTurn(_:)``, what a run tells by its journal. Methods throw ``Failure``, as
/// those of ``Store`` do.
public protocol EventStore: Sendable {
  /// Rung when an event was kept through this object.
  var eventBell: Bell { get }

  func keep(_ events: [Event]) async throws
  /// Those that the filter admits, of the ones after `number`, the oldest first.
  ///
  /// - Returns: And the number after which the next look begins: that of the last event that was looked at.
  func events(
    after number: Int64, _ filter: EventFilter, limit: Int
  ) async throws -> (events: [KeptEvent], last: Int64)
  /// Of the latest event; 0 = there is none.
  func lastEventNumber() async throws -> Int64
  /// Where an address stands that is told of events; one that is new begins with what comes now.
  func delivery(to name: String) async throws -> EventDelivery
  /// Takes the telling of an address upon itself; false when another server has it, or it stands elsewhere meanwhile.
  func takeDelivery(_ delivery: EventDelivery, until lease: Timestamp, at: Timestamp) async throws -> Bool
  /// Keeps how far an address was told by whoever has it until `lease`.
  ///
  /// - Parameter next: Until when it has it from now on; `nil` = it leaves it to others.
  /// - Returns: Whether it still had it; otherwise nothing is kept.
  func keepDelivery(
    _ delivery: EventDelivery, heldUntil lease: Timestamp, next: Timestamp?
  ) async throws -> Bool
  /// Tells which agents the version in force has: `agent.created` and `agent.deleted` of those that others had not told.
  func keepAgents(_ names: [String], version: String, at: Timestamp) async throws
  /// Forgets events that are older, some at a time; how many.
  func forgetEvents(before: Timestamp) async throws -> Int
}

/// How far an address was told of events.
public struct EventDelivery: Sendable, Hashable {
  /// Of the address in the configuration.
  public var name: String
  /// The last event that it was told, or that it does not want.
  public var number: Int64
  /// Attempts at the next one that failed.
  public var failures: Int
  /// Not told before.
  public var dueAt: Timestamp

  public init(name: String, number: Int64, failures: Int, dueAt: Timestamp) {
    self.name = name
    self.number = number
    self.failures = failures
    self.dueAt = dueAt
  }
}
