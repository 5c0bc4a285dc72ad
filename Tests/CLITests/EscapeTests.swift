// SPDX-License-Identifier: Apache-2.0
import Foundation
import JSONCodec
import Synchronization
import TestSupport
import Testing

/// Hostile scripts against the built server. `escape/` has one a file: whole
/// agents, whose first two lines say what they try and what must become of it.
@Suite("Escapes from agents")
struct EscapeTests {
  /// Loops end soon, and nothing but the scripts' own limits is in their way.
  /// Port 1 has no provider: prompts are made, and stubs answer.
  private static let configuration = """
    scripts: { cpu_ms: \(200 * slowness) }
    limits: { requests_per_minute: 0, requests_per_hour: 0, runs_concurrent: 0 }
    providers: { openai: { base_url: "http://127.0.0.1:1/v1", retries: 0 } }
    """

  /// What the attacks are after.
  private static let victims = [
    "perigee.yaml": configuration,
    "files/rules.txt": "Be kind.",
    "agents/neighbour.lua": "return { run = function() return 'good day' end }",
    "lib/shared.lua": """
    local count = 0
    return { count = 0, next = function() count = count + 1 return count end }
    """,
    "tools/ledger.lua": """
    return {
      schema = "create table if not exists ledger (id integer primary key, text text not null);",
      ledger_add = {
        description = "Adds a line.", parameters = { text = "string" }, access = { db = "write" },
        run = function(ctx, args)
          return { id = db.exec("insert into ledger (text) values (?)", args.text).last_insert_id }
        end,
      },
    }
    """,
  ]

  /// No error that a script makes may be longer, in an answer or in a line of the log.
  private static let errorBytesMax = 64 << 10

  @Test("every attack says what it tries and what must become of it")
  func heads() throws {
    let attacks = try Attack.all()
    #expect(attacks.count >= 150)
    #expect(Set(attacks.map { $0.name.prefix { $0 != "_" } }).count == 5)
  }

  @Test("no script escapes, and its neighbour is answered all the while", .timeLimit(.minutes(10)))
  func attacks() async throws {
    let attacks = try Attack.all().filter { !$0.isRefused }
    let workspace = try Folder(Self.victims)
    for attack in attacks { try attack.copy(into: workspace) }
    let data = try Folder()
    let server = try await RunningServer(workspace: workspace.path, data: data.path)

    let isOver = Mutex(false)
    async let neighbour = {
      var times: [Duration] = []
      while !isOver.withLock({ $0 }) {
        let start = ContinuousClock.now
        let answer = try await server.chat("neighbour", "hello", session: "neighbour")
        times.append(.now - start)
        #expect(answer.status == 200)
        #expect(answer.json["response"] == "good day")
      }
      return times.sorted()
    }()
    var ends: [End] = []
    do {
      defer { isOver.withLock { $0 = true } }
      ends = try await inParallel(attacks, limit: 4) { attack in
        var ends: [End] = []
        // A second session finds what the first one left behind.
        for session in ["first", "second"] {
          let answer = try await server.chat(attack.name, "hello", session: "\(session)-\(attack.name)")
          ends.append(End(attack: attack, answer: answer))
        }
        return ends
      }
    }
    let times = try await neighbour
    let ready = try await server.get("/health/ready")
    #expect(ready.status == 200, "\(ready.text)")
    let stopped = await server.stop()
    #expect(stopped.status == 0)

    let records = Self.records(stopped.log)
    for end in ends { end.check(records) }
    print(
      "neighbour of \(attacks.count) attacks: \(times.count) answers, p50 \(times[times.count / 2]),",
      "p99 \(times[times.count * 99 / 100]), max \(times[times.count - 1])")
  }

  @Test("a file that attacks while it loads is refused with the place", .timeLimit(.minutes(5)))
  func refused() async throws {
    _ = try await inParallel(Attack.all().filter(\.isRefused), limit: 4) { attack in
      let workspace = try Folder(["perigee.yaml": Self.configuration])
      try attack.copy(into: workspace)
      let data = try Folder()
      let outcome = try await perigee(
        "run", attack.name, "--workspace", workspace.path, "--data", data.path, "--input", "hello")
      #expect(outcome.status == 2, "\(attack)")
      #expect(outcome.output == "", "\(attack)")
      let place = "agents/\(attack.name).lua:"
      #expect(outcome.errors.contains(place), "\(attack): \(outcome.errors)")
      #expect(attack.isNamed(in: outcome.errors), "\(attack): \(outcome.errors)")
      #expect(outcome.errors.utf8.count <= Self.errorBytesMax, "\(attack)")
      return [Never]()
    }
  }

  /// What the log says of each failed request, by the request's id.
  private static func records(_ log: String) -> [String: String] {
    var records: [String: String] = [:]
    for line in log.split(separator: "\n") {
      #expect(line.utf8.count <= errorBytesMax, "\(line.prefix(200))")
      guard let record = try? JSON(parsing: Array(line.utf8)) else {
        Issue.record("a line of the log is not a record: \(line.prefix(200))")
        continue
      }
      #expect(record["message"] != "forged")
      if let id = record["request_id"]?.string {
        records[id, default: ""] += "\(record["detail"]?.string ?? "")\n\(record["diagnostic"]?.string ?? "")"
      }
    }
    return records
  }

  /// What became of one call of an attack.
  private struct End: Sendable {
    var attack: Attack
    var answer: RunningServer.Answer

    func check(_ records: [String: String]) {
      let seen = "\(attack): \(answer.status) \(answer.text.prefix(300))"
      guard answer.status != 200 else {
        #expect(attack.codes.isEmpty, "\(seen)")
        #expect(answer.json["response"]?.string == attack.text, "\(seen)")
        return
      }
      let code = answer.json["code"]?.string ?? "none"
      #expect(attack.codes.contains(code), "\(seen)")
      #expect(answer.text.utf8.count <= EscapeTests.errorBytesMax, "\(seen)")
      let record = records[answer.json["request_id"]?.string ?? "none"] ?? ""
      #expect(attack.isNamed(in: record), "\(seen)\n\(record.prefix(1000))")
    }
  }
}

/// One file of `escape/`.
private struct Attack: Sendable, CustomStringConvertible {
  let name: String
  /// Of which the answer has one; none when it is a reply.
  let codes: [String]
  /// The reply, or a part of the error.
  let text: String

  var isRefused: Bool { codes == ["refused"] }
  var description: String { name }

  /// Whether an error has the text, if there is one: no text is found nowhere.
  func isNamed(in error: String) -> Bool { text.isEmpty || error.contains(text) }

  private static let folder =
    URL(filePath: #filePath).deletingLastPathComponent().appending(path: "escape").path

  struct Headless: Error { let name: String }

  static func all() throws -> [Attack] {
    try FileManager.default.contentsOfDirectory(atPath: folder).sorted().map { try Attack(file: $0) }
  }

  private init(file: String) throws {
    // Some files are not UTF-8 on purpose; their heads are.
    let bytes = try Data(contentsOf: URL(filePath: "\(Self.folder)/\(file)"))
    let lines = String(decoding: bytes, as: UTF8.self).split(
      separator: "\n", maxSplits: 2, omittingEmptySubsequences: false)
    let attack = "-- Attack: "
    let expect = "-- Expect: "
    guard
      file.hasSuffix(".lua"), lines.count == 3, lines[0].hasPrefix(attack), lines[0] != attack,
      lines[1].hasPrefix(expect)
    else { throw Headless(name: file) }
    let words = lines[1].dropFirst(expect.count).split(separator: " ", maxSplits: 1)
    guard let outcome = words.first else { throw Headless(name: file) }
    name = String(file.dropLast(4))
    codes = outcome == "reply" ? [] : outcome.split(separator: "|").map(String.init)
    text = words.count > 1 ? String(words[1]) : ""
  }

  func copy(into workspace: Folder) throws {
    let agents = "\(workspace.path)/agents"
    try FileManager.default.createDirectory(atPath: agents, withIntermediateDirectories: true)
    try FileManager.default.copyItem(atPath: "\(Self.folder)/\(name).lua", toPath: "\(agents)/\(name).lua")
  }
}

/// Calls `body` for each element, `limit` at once; what all of them returned.
private func inParallel<Element: Sendable, Result: Sendable>(
  _ elements: [Element], limit: Int, _ body: @escaping @Sendable (Element) async throws -> [Result]
) async throws -> [Result] {
  try await withThrowingTaskGroup(of: [Result].self) { group in
    var results: [Result] = []
    for (index, element) in elements.enumerated() {
      if index >= limit, let finished = try await group.next() { results += finished }
      group.addTask { try await body(element) }
    }
    for try await finished in group { results += finished }
    return results
  }
}
