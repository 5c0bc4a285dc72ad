// SPDX-License-Identifier: Apache-2.0
import Crypto
import Foundation
import GRDB
import JSONCodec
import TestSupport
import Testing
import Transport

/// A server with both messengers on, the messengers' APIs, and a provider of models; servers come and go.
private struct Scene {
  static let (token, account, publicURL) = ("a very secret token", "AC1", "https://pub.example/agents")
  static let (bot, secret) = ("77:bot-token", "shown-with-each-request")

  let workspace: Folder
  let data: Folder
  let api: ScriptedProvider
  let model: ScriptedProvider

  init(
    _ more: [String: String] = [:], late: String = "10", configuration: String = "",
    api: ScriptedProvider? = nil,
    model: @escaping @Sendable (Int) -> ScriptedProvider.Reply = { _ in .completion("Said.") }
  ) throws {
    let asked = Tally()
    self.api = try api ?? ScriptedProvider(.json(["sid": "SM9"], status: 201))
    self.model = try ScriptedProvider { _ in model(asked.increment()) }
    data = try Folder()
    let files = [
      "agents/echo.lua": "return { run = function(_, input) return input.message end }",
      "agents/who.lua": """
      return { run = function(ctx, input)
        return json.encode{ user = ctx.user.id, session = ctx.session.id, past = #ctx.session.messages(),
          phone = input.phone_number, channel = input.channel, name = input.profile_name, parts = input.parts,
          said = input.message }
      end }
      """,
      "agents/talks.lua": "return { prompt = 'p' }",
      "perigee.yaml": """
      server: { public_url: "\(Self.publicURL)" }
      channels:
        whatsapp: { late_answer_seconds: \(late), api_url: "\(self.api.origin)" }
        telegram: { late_answer_seconds: \(late), api_url: "\(self.api.origin)" }
      routes:
        - { path: /whatsapp/webhook, agent: echo, shape: whatsapp }
      limits: { requests_per_minute: 0, requests_per_hour: 0 }
      \(configuration)
      """,
    ]
    workspace = try Folder(files.merging(more) { $1 })
  }

  func start(_ more: [String: String] = [:]) async throws -> RunningServer {
    try await RunningServer(
      workspace: workspace.path, data: data.path,
      environment: [
        "OPENAI_BASE_URL": model.baseURL, "OPENAI_API_KEY": "sk-secret", "TWILIO_AUTH_TOKEN": Self.token,
        "TWILIO_ACCOUNT_SID": Self.account, "TELEGRAM_BOT_TOKEN": Self.bot,
        "TELEGRAM_SECRET_TOKEN": Self.secret,
      ].merging(more) { $1 })
  }

  /// Sends a message by WhatsApp.
  ///
  /// - Parameter signature: In place of the right one.
  func send(
    _ server: RunningServer, _ agent: String = "echo", _ text: String, id: String = "SM1",
    from: String = "+905550000001", path: String? = nil, more: [String: String] = [:],
    signature: String? = nil
  ) async throws -> RunningServer.Answer {
    let path = path ?? "/v1/channels/whatsapp/\(agent)"
    let fields = [
      "MessageSid": id, "AccountSid": Self.account, "From": "whatsapp:\(from)", "To": "whatsapp:+14155238886",
      "Body": text, "NumMedia": "0", "ProfileName": "Ayşe",
    ].merging(more) { $1 }
    let signed = Self.publicURL + path + fields.sorted { $0.key < $1.key }.map { $0.key + $0.value }.joined()
    let code = HMAC<Insecure.SHA1>.authenticationCode(
      for: Data(signed.utf8), using: SymmetricKey(data: Data(Self.token.utf8)))
    return try await server.send(
      "POST", path, body: Array(fields.map { "\($0)=\(Self.encoded($1))" }.joined(separator: "&").utf8),
      contentType: "application/x-www-form-urlencoded",
      headers: [("X-Twilio-Signature", signature ?? Data(code).base64EncodedString())])
  }

  /// Sends a message to the bot.
  func tell(
    _ server: RunningServer, _ agent: String, _ message: JSON, id: Int64 = 1, secret: String = Self.secret
  ) async throws -> RunningServer.Answer {
    try await server.send(
      "POST", "/v1/channels/telegram/\(agent)",
      body: RawJSON(["update_id": .integer(id), "message": message]).bytes,
      headers: [("X-Telegram-Bot-Api-Secret-Token", secret)])
  }

  /// Who answers a message, as the database has it.
  func state(of id: String) async throws -> String? {
    let queue = try DatabaseQueue(path: data.path + "/perigee.sqlite")
    return try await queue.read { database in
      try String.fetchOne(database, sql: "SELECT state FROM channel_messages WHERE id = ?", arguments: [id])
    }
  }

  func write(_ sql: String, _ arguments: [String]) async throws {
    let queue = try DatabaseQueue(path: data.path + "/perigee.sqlite")
    try await queue.write { try $0.execute(sql: sql, arguments: StatementArguments(arguments)) }
  }

  static func text(_ text: String, from: Int64 = 7, chat: Int64 = 7) -> JSON {
    [
      "from": ["id": .integer(from), "first_name": "Ann"], "chat": ["id": .integer(chat)],
      "text": .string(text),
    ]
  }

  private static func encoded(_ text: String) -> String {
    text.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? ""
  }

  /// Fields of a form.
  static func form(_ request: ScriptedProvider.Request) -> [String: String] {
    let pairs = String(decoding: request.body, as: UTF8.self).split(separator: "&").map { pair in
      let parts = pair.split(separator: "=", omittingEmptySubsequences: false)
      return (String(parts[0]), String(parts[1]).removingPercentEncoding ?? "")
    }
    return Dictionary(uniqueKeysWithValues: pairs)
  }
}

/// The messages of a TwiML document.
private func messages(_ answer: RunningServer.Answer) -> [String] {
  answer.text.components(separatedBy: "<Message>").dropFirst().map {
    $0.components(separatedBy: "</Message>")[0]
  }
}

private let nothing = "<?xml version=\"1.0\" encoding=\"UTF-8\"?><Response/>"

@Suite("WhatsApp by way of Twilio", .timeLimit(.minutes(5)))
struct WhatsAppTests {
  @Test("who writes is known by their number, with a session that is kept, and answered in TwiML")
  func answered() async throws {
    let scene = try Scene()
    let server = try await scene.start()
    let first = try await scene.send(server, "who", "Merhaba <dünya> & \"co\"")
    #expect(first.status == 200 && first.headers["content-type"] == "text/xml")
    let told = try JSON(
      parsing: #require(messages(first).first).replacingOccurrences(of: "&lt;", with: "<")
        .replacingOccurrences(of: "&gt;", with: ">").replacingOccurrences(of: "&amp;", with: "&"))
    #expect(told["user"] == "whatsapp:+905550000001" && told["session"] == "whatsapp:905550000001")
    #expect(told["phone"] == "+905550000001" && told["channel"] == "whatsapp" && told["name"] == "Ayşe")
    #expect(told["said"] == "Merhaba <dünya> & \"co\"" && told["past"] == 0)
    let second = try await scene.send(server, "who", "again", id: "SM2")
    #expect(second.text.contains("\"past\":2"))
    let other = try await scene.send(server, "who", "hi", id: "SM3", from: "+4915100000002")
    #expect(other.text.contains("\"past\":0") && other.text.contains("4915100000002"))
    // The system's own path is another for the same, and a signature counts for its own path alone.
    let alias = try await scene.send(server, "echo", "by alias", id: "SM4", path: "/whatsapp/webhook")
    #expect(messages(alias) == ["by alias"])
    #expect(scene.api.requests.isEmpty)
    await server.stop()
  }

  @Test("what is not signed, not for an agent, or no form, is refused, and leaves nothing")
  func refused() async throws {
    let scene = try Scene(configuration: "log: { level: info }")
    let server = try await scene.start()
    for signature in ["", "AAAA", Data(repeating: 7, count: 20).base64EncodedString()] {
      let refused = try await scene.send(server, "echo", "x", signature: signature)
      #expect(refused.status == 403 && refused.json["code"] == "denied")
    }
    #expect(try await scene.send(server, "nobody", "x").status == 404)
    #expect(try await server.post("/v1/channels/whatsapp/echo", ["Body": "x"]).status == 415)
    for more in [["MessageSid": ""], ["MessageSid": "a b"], ["From": "+905550000001"], ["To": ""]] {
      #expect(try await scene.send(server, "echo", "x", more: more).status == 400)
    }
    #expect(try await server.get("/v1/channels/whatsapp/echo").status == 405)
    #expect(try await server.get("/v1/runs").json["data"]?.array?.isEmpty == true)
    #expect(messages(try await scene.send(server, "echo", "taken")) == ["taken"])
    let log = await server.stop().log
    #expect(log.contains("its address was taken to be \(Scene.publicURL)/v1/channels/whatsapp/echo"))
    #expect(!log.contains(Scene.token) && !log.contains(Scene.bot))
  }

  @Test("Twilio's own package signs what is taken, and nothing else is", .enabled(if: PythonTests.isThere))
  func signedByTwilio() async throws {
    let scene = try Scene()
    let server = try await scene.start()
    let outcome = try await PythonTests.run(
      "test_whatsapp", in: "channels",
      environment: ["ORIGIN": server.origin, "PUBLIC_URL": Scene.publicURL, "AUTH_TOKEN": Scene.token])
    await server.stop()
    #expect(outcome.status == 0, "\(outcome.errors) \(outcome.output)")
    #expect(outcome.errors.contains("Ran 4 tests"))
  }

  @Test("a message that comes ten times at once is one turn, and one reply says its answer")
  func duplicates() async throws {
    let gate = Gate()
    let scene = try Scene { _ in .completion("Once.").held(by: gate) }
    let server = try await scene.start()
    let answers = try await withThrowingTaskGroup(of: RunningServer.Answer.self) { group in
      for _ in 0..<10 { group.addTask { try await scene.send(server, "talks", "hi") } }
      var answers: [RunningServer.Answer] = []
      while let answer = try await group.next() {
        answers.append(answer)
        // The others do not wait for the answer.
        if answers.count == 9 { gate.open() }
      }
      return answers
    }
    #expect(answers.allSatisfy { $0.status == 200 })
    #expect(answers.filter { messages($0) == ["Once."] }.count == 1)
    #expect(answers.filter { $0.text == nothing }.count == 9)
    #expect(try await scene.send(server, "talks", "hi").text == nothing)
    #expect(scene.model.requests.count == 1 && scene.api.requests.isEmpty)
    #expect(try await server.get("/metrics").text.contains("channel=\"whatsapp\",outcome=\"duplicate\"} 10"))
    await server.stop()
  }

  @Test("an answer that takes longer goes out by Twilio's API once, and again until Twilio has it")
  func late() async throws {
    let gate = Gate()
    let api = try ScriptedProvider(.status(500), .json(["sid": "SM9"], status: 201))
    let scene = try Scene(late: "50ms", configuration: "log: { level: trace }", api: api) { count in
      count == 0 ? .completion("Slowly & surely.").held(by: gate) : .completion("Next.")
    }
    let server = try await scene.start()
    #expect(try await scene.send(server, "talks", "hi").text == nothing)
    #expect(try await scene.send(server, "talks", "hi").text == nothing)
    #expect(api.requests.isEmpty)
    gate.open()
    let requests = await api.requests(atLeast: 2)
    for request in requests {
      #expect(request.method == "POST" && request.path == "/2010-04-01/Accounts/AC1/Messages.json")
      #expect(
        Scene.form(request) == [
          "From": "whatsapp:+14155238886", "To": "whatsapp:+905550000001", "Body": "Slowly & surely.",
        ])
      let login = Data("AC1:\(Scene.token)".utf8).base64EncodedString()
      #expect(request.header("authorization") == "Basic \(login)")
    }
    let (_, log) = await server.stop()
    #expect(api.requests.count == 2 && scene.model.requests.count == 1)
    #expect(log.contains("an answer was not sent, and is sent again: it answered 500"))
    #expect(
      !log.contains(Scene.token) && !log.contains(Data("AC1:\(Scene.token)".utf8).base64EncodedString()))
  }

  @Test("a receiver whom Twilio does not reach is given up at once")
  func unreachable() async throws {
    let api = try ScriptedProvider(.json(["code": 63016], status: 400))
    let scene = try Scene(late: "0", api: api)
    let server = try await scene.start()
    _ = try await scene.send(server, "echo", "hi")
    await api.requests(atLeast: 1)
    try await waitWhile { try await !server.get("/metrics").text.contains("outcome=\"given_up\"} 1") }
    await server.stop()
    #expect(api.requests.count == 1)
  }

  @Test(
    "a server that is killed before the answer, or before it is sent, answers when it is back, with one turn")
  func killed() async throws {
    let api = try ScriptedProvider { request in
      Scene.form(request)["Body"] == "Kept." ? .status(503) : .json([:], status: 201)
    }
    let scene = try Scene(late: "0", api: api) { count in
      [.silence, .completion("After all."), .completion("Kept.")][min(count, 2)]
    }
    var server = try await scene.start()
    #expect(try await scene.send(server, "talks", "go").text == nothing)
    await scene.model.requests(atLeast: 1)
    await server.stop(signal: SIGKILL)
    server = try await scene.start()
    #expect(Scene.form(await api.requests(atLeast: 1)[0])["Body"] == "After all.")
    #expect(try await scene.send(server, "talks", "go").text == nothing)
    // Said, but not sent.
    #expect(try await scene.send(server, "talks", "next", id: "SM2").text == nothing)
    await api.requests(atLeast: 2)
    await server.stop(signal: SIGKILL)
    server = try await scene.start()
    let sent = await api.requests(atLeast: 3).map { Scene.form($0)["Body"] }
    #expect(sent.prefix(3) == ["After all.", "Kept.", "Kept."])
    await server.stop()
    #expect(scene.model.requests.count == 3)
  }

  @Test("an answer whose reply nobody reads any more is sent")
  func departed() async throws {
    let gate = Gate()
    let scene = try Scene { _ in .completion("Where were you?").held(by: gate) }
    let server = try await scene.start()
    let lost = Task { try await scene.send(server, "talks", "hi") }
    await scene.model.requests(atLeast: 1)
    lost.cancel()
    _ = await lost.result
    try await waitWhile { try await scene.state(of: "SM1") != "late" }
    gate.open()
    #expect(Scene.form(await scene.api.requests(atLeast: 1)[0])["Body"] == "Where were you?")
    try await waitWhile { try await scene.state(of: "SM1") != "answered" }
    await server.stop()
    #expect(scene.api.requests.count == 1 && scene.model.requests.count == 1)
  }

  @Test(
    "a message that was kept and no more is begun at the next start, and a turn that failed is not done again"
  )
  func taken() async throws {
    let scene = try Scene([
      "agents/breaks.lua": """
      return { access = { kv = "write" }, run = function() kv.incr("times") error("no") end }
      """,
      "agents/times.lua":
        "return { access = { kv = 'read' }, run = function() return tostring(kv.get('times')) end }",
    ])
    var server = try await scene.start()
    #expect(messages(try await scene.send(server, "breaks", "x")).count == 1)
    await server.stop(signal: SIGKILL)
    func message(_ agent: String) -> String {
      """
      {"session_id":"whatsapp:905550000001","agent":"\(agent)","text":"kept","input":{},"address":{"account":"AC1","from":"f","to":"t"}}
      """
    }
    // As a process leaves them that ends before the turn, and before its end is kept.
    try await scene.write(
      "UPDATE channel_messages SET state = 'late', message = CAST(? AS BLOB), due_at = 1 WHERE id = 'SM1'",
      [message("breaks")])
    try await scene.write(
      """
      INSERT INTO channel_messages (channel, id, user_id, received_at, state, message, due_at)
      VALUES ('whatsapp', 'SM2', 'whatsapp:+905550000001', 9000000000000, 'received', CAST(? AS BLOB), 9000000000000)
      """, [message("echo")])
    server = try await scene.start()
    let bodies = await scene.api.requests(atLeast: 2).compactMap { Scene.form($0)["Body"] }
    #expect(bodies.sorted() == ["Sorry, something went wrong. Please try again later.", "kept"])
    #expect(messages(try await scene.send(server, "times", "x", id: "SM3")) == ["1"])
    await server.stop()
  }

  @Test("a server that stops lets its last turn end, and sends what it said")
  func stopping() async throws {
    let gate = Gate()
    let scene = try Scene(late: "0") { _ in .completion("Before I go.").held(by: gate) }
    let server = try await scene.start()
    #expect(try await scene.send(server, "talks", "hi").text == nothing)
    await scene.model.requests(atLeast: 1)
    server.send(SIGTERM)
    try await waitWhile { (try? await server.get("/health/live")) != nil }
    gate.open()
    #expect(Scene.form(await scene.api.requests(atLeast: 1)[0])["Body"] == "Before I go.")
    await server.stop()
    #expect(scene.api.requests.count == 1)
  }

  @Test("a long text is several messages, cut between sentences, and sent in their order")
  func split() async throws {
    let sentence = "Günaydın, bu oldukça uzun bir cümledir 👩‍👩‍👧. "
    let long = String(repeating: sentence, count: 80)
    let scene = try Scene()
    var server = try await scene.start()
    let pieces = messages(try await scene.send(server, "echo", long))
    #expect(pieces.count > 2 && pieces.allSatisfy { $0.utf16.count <= 1600 && $0.hasSuffix("👩‍👩‍👧.") })
    #expect(pieces.joined(separator: " ") == long.trimmingCharacters(in: .whitespaces))
    await server.stop()
    let late = try Scene(late: "0")
    server = try await late.start()
    #expect(try await late.send(server, "echo", long).text == nothing)
    #expect(await late.api.requests(atLeast: pieces.count).map { Scene.form($0)["Body"] } == pieces)
    await server.stop()
    #expect(late.api.requests.count == pieces.count)
  }

  @Test("photos and files are parts that scripts read and guardrails look at, with words or without")
  func media() async throws {
    let scene = try Scene(
      [
        "agents/choosy.lua": """
        return { run = function(_, input) return "got " .. input.parts[1].name end }
        """
      ], configuration: "guardrails: { input_validation: { allowed_file_types: [.jpg] } }")
    let server = try await scene.start()
    let media = [
      "NumMedia": "2", "MediaUrl0": "https://api.twilio.com/x/Media/ME1", "MediaContentType0": "image/jpeg",
      "MediaUrl1": "https://api.twilio.com/x/Media/ME2", "MediaContentType1": "application/pdf",
    ]
    let open = try Scene()
    let other = try await open.start()
    let told = try JSON(parsing: #require(messages(try await open.send(other, "who", "", more: media)).first))
    await other.stop()
    #expect(told["said"] == "(no text)")
    #expect(
      told["parts"] == [
        [
          "type": "image_url", "image_url": ["url": "https://api.twilio.com/x/Media/ME1"], "name": "ME1.jpg",
          "content_type": "image/jpeg",
        ],
        [
          "type": "file", "file": ["filename": "ME2.pdf", "url": "https://api.twilio.com/x/Media/ME2"],
          "name": "ME2.pdf", "content_type": "application/pdf",
        ],
      ])
    let refused = try await scene.send(server, "choosy", "look", id: "SM2", more: media)
    #expect(messages(refused).first?.contains("files may be .jpg, not '.pdf'") == true, "\(refused.text)")
    let taken = try await scene.send(
      server, "choosy", "look", id: "SM3", more: media.merging(["NumMedia": "1"]) { $1 })
    #expect(messages(taken) == ["got ME1.jpg"])
    await server.stop()
  }

  @Test("a refusal is told as it is, a failure in plain words, and a decision brings the answer")
  func words() async throws {
    let scene = try Scene(
      [
        "agents/says_no.lua": "return { run = function() reject('Only in Turkish, please.') end }",
        "agents/breaks.lua": "return { run = function() return nil .. 'x' end }",
        "agents/asks.lua": """
        return { run = function(_, input)
          local answer = approval.request({ title = input.message })
          if not answer.approved then error("internal words") end
          return "approved"
        end }
        """,
      ], configuration: "")
    let server = try await scene.start()
    #expect(messages(try await scene.send(server, "says_no", "x")) == ["Only in Turkish, please."])
    let sorry = "Sorry, something went wrong. Please try again later."
    #expect(messages(try await scene.send(server, "breaks", "x", id: "SM2")) == [sorry])
    for (number, decision) in [("SM3", "approve"), ("SM4", "reject")] {
      let waiting = try await scene.send(server, "asks", "may I?", id: number)
      #expect(messages(waiting) == ["This needs somebody's approval first. The answer follows here."])
      let pending = try await server.get("/v1/approvals").json["data"]?.array?.first {
        $0["status"] == "pending"
      }
      let id = try #require(pending?["id"]?.string)
      #expect(try await server.post("/v1/approvals/\(id)", ["decision": .string(decision)]).status == 200)
      await scene.api.requests(atLeast: number == "SM3" ? 1 : 2)
    }
    #expect(scene.api.requests.map { Scene.form($0)["Body"] } == ["approved", sorry])
    await server.stop()
  }

  @Test("a server that wants to know who asks takes a messenger's word for who writes, and nobody else's")
  func authenticated() async throws {
    let scene = try Scene(
      ["agents/staff.lua": "return { allow = { roles = { 'staff' } }, run = function() return 'in' end }"],
      configuration: "auth: { mode: jwt }")
    let secret = ["PERIGEE_JWT_SECRET": "a secret that is long enough for HS256, known to nobody"]
    let server = try await scene.start(secret)
    #expect(messages(try await scene.send(server, "echo", "hi")) == ["hi"])
    let staff = try await scene.send(server, "staff", "hi", id: "SM2")
    #expect(messages(staff).first?.contains("staff") == true && !staff.text.contains(">in<"), "\(staff.text)")
    #expect(try await server.chat("echo", "hi").status == 401)
    let token = try await perigee(
      "token", "--user", "whatsapp:+905550000001", "--workspace", scene.workspace.path, environment: secret)
    #expect(token.status == 2 && token.errors.contains("reserved"), "\(token)")
    let paths = try await server.get("/openapi.json").json["paths"]
    for (path, type) in [
      ("/v1/channels/whatsapp/{agent}", "application/x-www-form-urlencoded"),
      ("/v1/channels/telegram/{agent}", "application/json"),
      ("/whatsapp/webhook", "application/x-www-form-urlencoded"),
    ] {
      let operation = paths?[path]?["post"]
      #expect(operation?["requestBody"]?["content"]?.object?.keys == [type], "\(path)")
      #expect(operation?["security"] == [] && operation?["responses"]?["403"] != nil)
    }
    await server.stop()
  }

  @Test("without its token a messenger is off: its routes are not there, which is said once, and by doctor")
  func off() async throws {
    let scene = try Scene()
    let server = try await RunningServer(workspace: scene.workspace.path, data: scene.data.path)
    for path in ["/v1/channels/whatsapp/echo", "/whatsapp/webhook", "/v1/channels/telegram/echo"] {
      #expect(try await server.post(path, [:]).status == 404)
    }
    #expect(try await !server.get("/openapi.json").text.contains("/v1/channels"))
    let log = await server.stop().log
    #expect(log.components(separatedBy: "the channel whatsapp is off: TWILIO_AUTH_TOKEN not set").count == 2)
    #expect(log.contains("the channel telegram is off: TELEGRAM_BOT_TOKEN and TELEGRAM_SECRET_TOKEN not set"))
    let doctor = try await perigee(
      "doctor", "--workspace", scene.workspace.path, "--data", scene.data.path, "--port", "0",
      environment: ["TELEGRAM_BOT_TOKEN": "t", "TELEGRAM_SECRET_TOKEN": "s"])
    #expect(doctor.output.contains("channel whatsapp: off: TWILIO_AUTH_TOKEN not set"), "\(doctor.output)")
    #expect(doctor.output.contains("channel telegram: on"))
  }

  @Test("who writes too much is slowed down, and what is kept of them goes with them")
  func limits() async throws {
    let scene = try Scene(late: "0")
    try scene.workspace.write(
      "perigee.yaml",
      try scene.workspace.read("perigee.yaml").replacingOccurrences(
        of: "requests_per_minute: 0", with: "requests_per_minute: 2"))
    let server = try await scene.start()
    for number in 1...2 {
      #expect(try await scene.send(server, "echo", "hi", id: "SM\(number)").status == 200)
    }
    let limited = try await scene.send(server, "echo", "hi", id: "SM3")
    #expect(limited.status == 429 && limited.headers["retry-after"] != nil)
    #expect(try await scene.send(server, "echo", "hi", id: "SM4", from: "+4915100000002").status == 200)
    await scene.api.requests(atLeast: 3)
    let user = "whatsapp%3A%2B905550000001"
    let export = try await server.get("/v1/users/\(user)/export").json
    #expect(export["channel_messages"]?.array?.map { $0["id"] } == ["SM1", "SM2"])
    #expect(export["messages"]?.array?.count == 4)
    #expect(try await server.send("DELETE", "/v1/users/\(user)", body: nil).status == 200)
    #expect(try await server.get("/v1/users/\(user)/export").status == 404)
    await server.stop()
  }
}

@Suite("Telegram", .timeLimit(.minutes(5)))
struct TelegramTests {
  @Test("a message is answered in the reply, once, to the bot's own secret alone")
  func answered() async throws {
    let scene = try Scene()
    let server = try await scene.start()
    for secret in ["", "shown", Scene.secret + "x"] {
      #expect(try await scene.tell(server, "echo", Scene.text("x"), secret: secret).status == 403)
    }
    let answer = try await scene.tell(server, "echo", Scene.text("Merhaba"))
    #expect(answer.json == ["method": "sendMessage", "chat_id": 7, "text": "Merhaba"])
    #expect(try await scene.tell(server, "echo", Scene.text("Merhaba")).json == [:])
    let group = try await scene.tell(server, "who", Scene.text("hi", from: 8, chat: -100), id: 2)
    let told = try JSON(parsing: #require(group.json["text"]?.string))
    #expect(told["user"] == "telegram:8" && told["session"] == "telegram:-100" && told["name"] == "Ann")
    let photo: JSON = [
      "from": ["id": 7], "chat": ["id": 7], "caption": "look",
      "photo": [["file_id": "small"], ["file_id": "large"]],
    ]
    let seen = try await scene.tell(server, "who", photo, id: 3).json["text"]?.string ?? ""
    #expect(seen.contains("\"large\"") && seen.contains("photo.jpg") && seen.contains("look"))
    // What is no message wants no answer.
    #expect(try await scene.tell(server, "echo", ["chat": ["id": 7], "from": ["id": 7]], id: 4).json == [:])
    #expect(try await scene.tell(server, "nobody", Scene.text("x"), id: 5).status == 404)
    #expect(scene.api.requests.isEmpty)
    await server.stop()
  }

  @Test("a late answer and one that is more than a reply can say are sent by the bot, in their order")
  func late() async throws {
    let gate = Gate()
    let scene = try Scene(late: "50ms", configuration: "log: { level: trace }") { _ in
      .completion("At last.").held(by: gate)
    }
    let server = try await scene.start()
    #expect(try await scene.tell(server, "talks", Scene.text("hi")).json == [:])
    gate.open()
    let request = await scene.api.requests(atLeast: 1)[0]
    #expect(request.path == "/bot\(Scene.bot)/sendMessage")
    #expect(request.json == ["chat_id": 7, "text": "At last."])
    let long = String(repeating: "word ", count: 1000)
    #expect(try await scene.tell(server, "echo", Scene.text(long), id: 2).json == [:])
    let texts = await scene.api.requests(atLeast: 3).dropFirst().compactMap { $0.json["text"]?.string }
    #expect(texts.joined(separator: " ") == long.trimmingCharacters(in: .whitespaces))
    let log = await server.stop().log
    #expect(scene.api.requests.count == 3 && !log.contains(Scene.bot) && !log.contains(Scene.secret))
  }
}
