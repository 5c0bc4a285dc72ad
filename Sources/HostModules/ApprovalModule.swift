// SPDX-License-Identifier: Apache-2.0
import Core
import JSONCodec
import LuaHost

extension HostModule {
  /// `approval`: questions to people.
  static let approval = HostModule(
    "approval",
    "Questions to people. The run leaves memory while it waits, and goes on when they have decided, be it days or "
      + "restarts later.",
    types: """
      ---@class (exact) perigee.ApprovalRequest
      ---@field title string what is asked, in one line
      ---@field detail? any what the answer is about; it holds for nothing else
      ---@field timeout? number|string seconds, or "48h" (s, m, h, d); without it there is no end
      ---@field fields? table<string, any> what is to be filled in, as a tool's `parameters`
      ---@field by? { roles: string[] } who may decide; the user themselves, or an operator, unless said
      ---@class (exact) perigee.ApprovalAnswer
      ---@field approved boolean
      ---@field decision "approve"|"reject"|"expired"
      ---@field comment? string
      ---@field by? string id of the user who decided
      ---@field values? table<string, any> what was filled in
      """,
    functions: [
      Function(
        "request", "Asks a person and waits for the answer.",
        [Parameter("request", "perigee.ApprovalRequest", "the question")], returns: "perigee.ApprovalAnswer",
        mayWait: true,
        example: #"""
          local answer = approval.request{ title = "Refund 250 EUR?", detail = order, timeout = "48h" }
          if not answer.approved then reject(answer.comment or "not refunded") end
          """#,
        body: .waits(request, named: "approval.request"))
    ])

  @Sendable private static func request(
    _ arguments: Arguments, _ scope: ScriptScope
  ) async throws -> LuaValue {
    if scope.transaction != nil {
      throw HostError.invalid(
        "approval.request may not be called by what a db.transaction calls: it would hold that open while it waits"
      )
    }
    let options = try arguments.options(1, ["title", "detail", "timeout", "fields", "by"])
    guard let title = try options.string("title"), !title.isEmpty else {
      throw arguments.fault(1, "'title' is missing")
    }
    guard title.utf8.count <= titleBytesMax else {
      throw arguments.fault(1, "'title' is longer than \(titleBytesMax) bytes")
    }
    let detail = try options.json("detail").map { RawJSON($0) }
    guard detail?.bytes.count ?? 0 <= detailBytesMax else {
      throw arguments.fault(1, "'detail' is longer than \(detailBytesMax) bytes of JSON")
    }
    let form: Schema?
    do {
      form = try options.json("fields").map { definition throws(SchemaError) in try Schema(definition) }
    } catch let error as SchemaError {
      throw arguments.fault(1, "fields: \(error)")
    }
    let question = Approval.Question(
      title: title, detail: detail, form: form?.json,
      roles: try roles(options["by"] ?? .nil, arguments))
    let answer = try await scope.services.ask(
      question, timeout: try duration(options["timeout"] ?? .nil, arguments), key: scope.key(arguments))
    return .json(RawJSON(answer))
  }

  private static let titleBytesMax = 500
  private static let detailBytesMax = 64 << 10

  private static func roles(_ value: LuaValue, _ arguments: Arguments) throws(HostError) -> [String] {
    if value == .nil { return [] }
    let roles = value["roles"]?.array?.map { $0.string ?? "" } ?? []
    guard !roles.isEmpty, roles.allSatisfy({ !$0.isEmpty && !$0.contains(" ") }) else {
      throw arguments.fault(1, "'by' must be { roles = { \"operator\" } }: names without spaces")
    }
    return roles
  }

  private static func duration(_ value: LuaValue, _ arguments: Arguments) throws(HostError) -> Duration? {
    switch value {
    case .nil: return nil
    case .string(let text):
      if let duration = WrittenDuration(text)?.duration { return duration }
    default:
      if let seconds = value.double, seconds > 0, seconds <= WrittenDuration.secondsMax {
        return .seconds(seconds)
      }
    }
    throw arguments.fault(1, "'timeout' must be seconds or \"48h\" (s, m, h, d), at most 365 days")
  }
}
