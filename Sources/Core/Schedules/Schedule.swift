// SPDX-License-Identifier: Apache-2.0
public import JSONCodec

/// When an agent runs without being asked.
public struct Schedule: Sendable, Hashable {
  public enum Timing: Sendable, Hashable {
    case cron(CronExpression, Zone)
    case every(Duration)
  }

  /// What becomes of times at which no server was there.
  public enum MissedPolicy: String, Sendable, Hashable, CaseIterable {
    /// One run for all of them.
    case once
    /// A run for each, the latest ``occurrencesMax``.
    case all
    /// They are gone.
    case skip
  }

  /// What it is known by in its agent: `0 6 * * * UTC`, `every 6h`; one with another time is another schedule.
  public var name: String
  public var timing: Timing
  /// What the agent is told as the user's message.
  public var message: String
  /// What its script finds in `ctx.input`, with `scheduled_at`.
  public var input: JSONObject
  public var missed: MissedPolicy

  public init(
    name: String, timing: Timing, message: String = messageDefault, input: JSONObject = JSONObject(),
    missed: MissedPolicy = .once
  ) {
    self.name = name
    self.timing = timing
    self.message = message
    self.input = input
    self.missed = missed
  }

  public static let messageDefault = "This run was started by its schedule."
  /// That are made up for.
  static let occurrencesMax = 100
  /// What is longer past is not made up for.
  static let lateMax = Duration.seconds(31 * 86_400)
  /// By how much a server that is there may be late.
  static let grace = Duration.seconds(30)

  /// The first time after a moment.
  ///
  /// - Parameter due: A time of the schedule, from which `every` counts; `nil` = it counts from that moment.
  public func next(after time: Timestamp, from due: Timestamp? = nil) -> Timestamp? {
    switch timing {
    case .cron(let expression, let zone): return expression.next(after: time, in: zone)
    case .every(let interval):
      guard let due, due <= time else { return due ?? time + interval }
      let length = Int64(interval / .milliseconds(1))
      let count = (time.milliseconds - due.milliseconds) / length + 1
      return Timestamp(milliseconds: due.milliseconds + count * length)
    }
  }

  /// The times at which it runs now, of those since `due` at which it has not run, and the one after them.
  func occurrences(since due: Timestamp, at now: Timestamp) -> (runs: [Timestamp], next: Timestamp?) {
    var past: [Timestamp] = []
    var time: Timestamp? = due
    if now - due > Self.lateMax { time = next(after: now + (.zero - Self.lateMax), from: due) }
    while let moment = time, moment <= now {
      past.append(moment)
      if past.count > Self.occurrencesMax * 2 { past.removeFirst(Self.occurrencesMax) }
      time = next(after: moment, from: moment)
    }
    let runs =
      switch missed {
      case .all: past.suffix(Self.occurrencesMax)
      case .once: past.suffix(1)
      case .skip: past.suffix(1).filter { now - $0 <= Self.grace }[...]
      }
    return (Array(runs), time)
  }
}

extension Principal {
  /// On whose behalf agents run that a schedule starts; no caller has such a name.
  public static let schedule = Principal(id: "perigee:schedule", name: "schedule", roles: ["schedule"])
}
