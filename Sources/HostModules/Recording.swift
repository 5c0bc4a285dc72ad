// SPDX-License-Identifier: Apache-2.0
import Core
import JSONCodec
public import LuaHost

/// Whether a host call is kept in the run's journal.
///
/// Inside a tool, whose call is kept as a whole, it is kept only for the case that the tool has to wait.
enum Recording: Sendable {
  /// It depends on nothing but its arguments, or keeps itself.
  case none
  /// What it brought is kept; after a crash it may be made again.
  case observed
  /// It must not be made twice.
  case effect
  /// As its arguments say.
  case chosen(@Sendable (Arguments, ScriptScope) -> Recording)
}

extension ScriptScope {
  /// The journal's key of a host call.
  func key(_ arguments: Arguments) -> String { "\(place)\(arguments.site)" }

  /// Makes a host call, or hands back what came of it in an earlier life of the run.
  func recorded(
    _ arguments: Arguments, _ recording: Recording,
    _ body: (Arguments, ScriptScope) async throws -> LuaValue
  ) async throws -> LuaValue {
    guard let journal else { return try await body(arguments, self) }
    switch recording {
    case .none: return try await body(arguments, self)
    case .chosen(let choose): return try await recorded(arguments, choose(arguments, self), body)
    case .observed, .effect: break
    }
    if isInside {
      if let known = try recalledInside(arguments) { return known }
      let startedAt = resources.time.now
      do {
        let value = try await body(arguments, self)
        keepInside(arguments, .success(value), startedAt: startedAt)
        return value
      } catch {
        if let failure = Failure(raised: error) {
          keepInside(arguments, .failure(failure), startedAt: startedAt)
        }
        throw error
      }
    }
    var live: LuaValue?
    func perform() async throws -> RawJSON {
      do {
        let value = try await body(arguments, self)
        live = value
        if case .observed = recording {
          var room = Self.observedBytesMax
          if !value.fits(in: &room) { return Self.tooLarge }
        }
        return RawJSON(recording: value)
      } catch let error as HostError {
        throw Failure(error)
      }
    }
    let call = arguments.journalCall(in: self)
    let result =
      if case .observed = recording {
        try await journal.observe(call, perform)
      } else {
        try await journal.perform(
          call, unknown: { try await services.askWhetherDone($0, arguments: call.arguments) }, perform)
      }
    if let live { return live }
    // It may be made again, and was; but not by a replay.
    if result == Self.tooLarge, !journal.isReplay { return try await body(arguments, self) }
    return try LuaValue(recorded: result)
  }

  /// What may be made again is made again, rather than kept, where it brings more.
  private static let observedBytesMax = 1 << 20
  private static let tooLarge = RawJSON(["$large": true])

  /// As ``recorded(_:_:_:)`` for a call that answers at once.
  func recordedAtOnce(
    _ arguments: Arguments, _ body: (Arguments, ScriptScope) throws -> LuaValue
  ) throws -> LuaValue {
    guard let journal else { return try body(arguments, self) }
    if isInside {
      if let known = try recalledInside(arguments) { return known }
      let value = try body(arguments, self)
      keepInside(arguments, .success(value), startedAt: resources.time.now)
      return value
    }
    let call = arguments.journalCall(in: self)
    if case .ended(let outcome) = try journal.recall(call) { return try LuaValue(recorded: outcome.get()) }
    let value = try body(arguments, self)
    journal.keep(call, .result(RawJSON(recording: value)), startedAt: resources.time.now, milliseconds: 0)
    return value
  }

  /// What came of a tool's host call before the tool waited.
  private func recalledInside(_ arguments: Arguments) throws -> LuaValue? {
    guard let journal, journal.isReplaying,
      case .ended(let outcome) = try journal.recall(arguments.journalCall(in: self))
    else { return nil }
    return try LuaValue(recorded: outcome.get())
  }

  private func keepInside(
    _ arguments: Arguments, _ result: Result<LuaValue, Failure>, startedAt: Timestamp
  ) {
    var room = Journal.interiorBytesMax
    if case .success(let value) = result { _ = value.fits(in: &room) }
    for value in arguments.values { _ = value.fits(in: &room) }
    journal?.keepInside(key(arguments), bytes: Journal.interiorBytesMax - room) { [self] in
      let call = arguments.journalCall(in: self)
      return JournalEntry(
        number: 0, key: call.key, name: call.name, digest: call.digest, arguments: call.arguments,
        outcome: JournalEntry.Outcome(result), startedAt: startedAt)
    }
  }
}

extension JournalEntry.Outcome {
  init(_ result: Result<LuaValue, Failure>) {
    switch result {
    case .success(let value): self = .result(RawJSON(recording: value))
    case .failure(let failure): self = .failed(failure)
    }
  }
}

extension Arguments {
  func journalCall(in scope: ScriptScope) -> JournalCall {
    // Headers hold the handles of secrets, which every process names anew.
    let values = values.map { $0.without("headers") }
    var hash = StableHash()
    for value in values { value.hash(into: &hash) }
    var room = Self.readableBytesMax
    let isReadable = values.allSatisfy { $0.fits(in: &room) }
    return JournalCall(
      key: scope.key(self), name: function, digest: hash.value,
      arguments: isReadable ? RawJSON(recording: .array(values)) : nil)
  }

  /// Of the call, whichever transaction it is in.
  var digestText: String {
    var hash = StableHash()
    hash.combine(function)
    for value in values { value.hash(into: &hash) }
    return String(hash.value, radix: 16)
  }

  /// Arguments that are longer are not kept for people to read.
  private static let readableBytesMax = 16 << 10
}

extension LuaValue {
  fileprivate func without(_ key: String) -> LuaValue {
    guard case .table(let fields) = self, fields.contains(where: { $0.key == key }) else { return self }
    return .table(fields.filter { $0.key != key })
  }

  /// Takes what the value needs off `room`, in bytes and about; stops where that is used up.
  func fits(in room: inout Int) -> Bool {
    switch self {
    case .nil, .null, .bool, .integer, .number: room -= 8
    case .string(let text): room -= text.utf8.count + 2
    case .bytes(let bytes): room -= 2 * bytes.count + 12
    case .json(let json): room -= json.bytes.count + 10
    case .array(let elements):
      for element in elements where !element.fits(in: &room) { return false }
    case .table(let fields):
      for field in fields {
        room -= field.key.utf8.count + 4
        if !field.value.fits(in: &room) { return false }
      }
    }
    return room >= 0
  }

  /// Equal for equal values; the order of a table's fields does not count.
  fileprivate func hash(into hash: inout StableHash) {
    switch self {
    case .nil: hash.combine(0)
    case .null: hash.combine(1)
    case .bool(let value): hash.combine(value ? 3 : 2)
    case .integer(let number):
      hash.combine(4)
      hash.combine(UInt64(bitPattern: number))
    case .number(let number):
      hash.combine(5)
      hash.combine(number.bitPattern)
    case .string(let text):
      hash.combine(6)
      hash.combine(text)
    case .bytes(let bytes):
      hash.combine(7)
      hash.combine(bytes)
    case .array(let elements):
      hash.combine(8)
      hash.combine(UInt64(elements.count))
      for element in elements { element.hash(into: &hash) }
    case .table(let fields):
      hash.combine(9)
      hash.combine(UInt64(fields.count))
      var sum: UInt64 = 0
      for field in fields {
        var one = StableHash()
        one.combine(field.key)
        field.value.hash(into: &one)
        sum = sum &+ one.value
      }
      hash.combine(sum)
    case .json(let json):
      hash.combine(10)
      hash.combine(json.bytes)
    }
  }
}

extension Failure {
  init(_ error: HostError) {
    self.init(
      Code(rawValue: error.code), error.message, retryable: error.retryable,
      detail: error.detail.flatMap { try? $0.value() })
  }

  /// What a host call raised; `nil` for a cancellation: nobody knows what became of the call.
  fileprivate init?(raised error: any Error) {
    if error is CancellationError || Task.isCancelled { return nil }
    self = (error as? HostError).map(Failure.init) ?? Failure(error)
  }
}

// MARK: Values as the journal keeps them

/// JSON, with what it cannot hold under keys that begin with `$`.
extension RawJSON {
  init(recording value: LuaValue) {
    var writer = JSONWriter()
    writer.write(recording: value)
    self = writer.raw
  }
}

extension JSONWriter {
  fileprivate mutating func write(recording value: LuaValue) {
    switch value {
    case .nil: writeNull()
    case .null: object { $0.member("$null", true) }
    case .bool(let value): write(value)
    case .integer(let number): write(number)
    case .number(let number) where number.isFinite: write(number)
    case .number(let number): object { $0.member("$number", "\(number)") }
    case .string(let text): write(text)
    case .bytes(let bytes): object { $0.member("$bytes", Hexadecimal.text(bytes)) }
    case .json(let json):
      object {
        $0.key("$json")
        $0.write(json)
      }
    case .array(let elements): array { for element in elements { $0.write(recording: element) } }
    case .table(let fields) where fields.contains(where: { $0.key.hasPrefix("$") }):
      object {
        $0.key("$table")
        $0.object { $0.write(recording: fields) }
      }
    case .table(let fields): object { $0.write(recording: fields) }
    }
  }

  private mutating func write(recording fields: [LuaField]) {
    for field in fields {
      key(named: field.key)
      write(recording: field.value)
    }
  }
}

extension LuaValue {
  /// Reads what ``RawJSON/init(recording:)`` wrote.
  init(recorded json: RawJSON) throws { self.init(recorded: try json.value()) }

  private init(recorded json: JSON) {
    switch json {
    case .null: self = .nil
    case .bool(let value): self = .bool(value)
    case .integer(let number): self = .integer(number)
    case .number(let number): self = .number(number)
    case .string(let text): self = .string(text)
    case .array(let elements): self = .array(elements.map(LuaValue.init(recorded:)))
    case .object(let object):
      guard let (key, value) = object.members.first, key.hasPrefix("$"), object.count == 1 else {
        self = .table(recorded: object)
        return
      }
      switch key {
      case "$null": self = .null
      case "$number": self = .number(Double(value.string ?? "") ?? .nan)
      case "$bytes": self = .bytes(Hexadecimal.bytes(value.string ?? ""))
      case "$json": self = .json(RawJSON(value))
      default: self = .table(recorded: value.object ?? JSONObject())
      }
    }
  }

  private static func table(recorded object: JSONObject) -> LuaValue {
    .table(object.members.map { LuaField($0.key, LuaValue(recorded: $0.value)) })
  }
}

/// Bytes as lower-case hexadecimal digits.
enum Hexadecimal {
  static func text(_ bytes: some Sequence<UInt8>) -> String {
    let digits = Array("0123456789abcdef".utf8)
    return String(decoding: bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
  }

  /// What ``text(_:)`` wrote; nothing for anything else.
  static func bytes(_ text: String) -> [UInt8] {
    let digits = text.utf8.map { UInt8(ascii: "0") <= $0 && $0 <= UInt8(ascii: "9") ? $0 - 48 : $0 &- 87 }
    guard digits.count.isMultiple(of: 2), digits.allSatisfy({ $0 < 16 }) else { return [] }
    return stride(from: 0, to: digits.count, by: 2).map { digits[$0] << 4 | digits[$0 + 1] }
  }
}

extension Branching<ScriptScope?> {
  /// Keeps in the run's journal which branch decided a spawn, and counts the branches as the run's lines of execution.
  public static var journal: Self {
    Branching(
      recall: { scope, spawn in
        guard let scope, let journal = scope.journal, journal.isReplaying,
          case .ended(.result(let result))? = try? journal.recall(scope.call(spawn)),
          case .integer(let branch)? = try? result.value()
        else { return nil }
        let branches = "\(scope.place)\(spawn)."
        journal.skip(branches: branches, except: "\(branches)\(branch)/")
        return UInt32(clamping: branch)
      },
      keep: { scope, spawn, branch in
        guard let scope, let journal = scope.journal else { return }
        let call = scope.call(spawn)
        let outcome = JournalEntry.Outcome.result(RawJSON(.integer(Int64(branch))))
        let now = journal.now
        if scope.isInside {
          journal.keepInside(call.key, bytes: 0) {
            JournalEntry(
              number: 0, key: call.key, name: call.name, digest: call.digest, outcome: outcome, startedAt: now
            )
          }
        } else {
          journal.keep(call, outcome, startedAt: now, milliseconds: 0)
        }
      },
      count: { scope, lines in scope?.journal?.waits.count(lines: lines) })
  }
}

extension ScriptScope {
  fileprivate func call(_ spawn: CallSite) -> JournalCall {
    JournalCall(key: "\(place)\(spawn.fiber)spawn.\(spawn.number)", name: "branch")
  }
}
