// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Core
import Identity
import JSONCodec
import Settings
import Storage

/// `perigee keys`.
struct KeysCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "keys", abstract: "Makes, lists and revokes API keys.",
    discussion: """
      Servers take them with auth.mode api_key or any, as Authorization: Bearer or X-API-Key.

      Examples:
        perigee keys create --user bot --name 'nightly report' --agent report --expires 90d
        perigee keys list
        perigee keys revoke k3v5q2m7a4b6c5d2
      """,
    subcommands: [Create.self, List.self, Revoke.self])

  struct Create: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "create", abstract: "Makes an API key and shows it, this once.",
      discussion: """
        Examples:
          perigee keys create --user bot --name 'nightly report'
          perigee keys create --user ci --name deploy --role operator --agent report --expires 90d --json
          perigee keys create --tenant acme --user bot --name 'nightly report'
        """)

    @Option(help: ArgumentHelp("On whose behalf it acts.", valueName: "id"))
    var user: String

    @Option(help: TenantName.help)
    var tenant: TenantName?

    @Option(help: ArgumentHelp("What it is for.", valueName: "text"))
    var name: String

    @Option(
      name: .customLong("role"),
      help: ArgumentHelp("May be given more than once. (default: user)", valueName: "role"))
    var roles: [String] = []

    @Option(
      name: .customLong("agent"),
      help: ArgumentHelp(
        "It may use this one; may be given more than once. (default: all)", valueName: "agent"))
    var agents: [String] = []

    @Option(
      help: ArgumentHelp("How long it counts: 8h, 90d. (default: until it is revoked)", valueName: "time"))
    var expires: String?

    @Flag(help: "Prints the key and what is known of it as JSON.")
    var json = false

    @OptionGroup var options: WorkspaceOptions

    func run() async throws {
      let now = SystemTime().now
      let end = try expires.map { text in
        guard let span = WrittenDuration(text) else {
          throw CommandError(message: "--expires '\(text)' is no time", hint: "write 8h or 90d")
        }
        return now + span.duration
      }
      let key = APIKey.make()
      let record: APIKeyRecord
      do {
        record = try .make(
          for: key, name: name, userID: user, tenant: tenant?.tenant,
          hasTenants: try options.configuration().auth.jwt.tenantClaim != nil,
          roles: roles.isEmpty ? ["user"] : roles, agents: agents, at: now, expiresAt: end)
      } catch let error as IdentityError {
        throw CommandError(message: error.message, hint: error.hint)
      }
      try await options.withStore { store, _ in
        try await store.saveAPIKey(record, by: Principal.local.actor)
        guard json else {
          Console.print(key.reveal())
          return Console.note("Keep it now: only a hash of it is stored. Its identifier is \(key.id).")
        }
        var document = try record.json.value().object ?? JSONObject()
        document.append("key", .string(key.reveal()))
        Console.print(RawJSON(.object(document)).text)
      }
    }
  }

  struct List: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "list", abstract: "Lists API keys, the latest first; never the keys themselves.",
      discussion: """
        Examples:
          perigee keys list
          perigee keys list --user bot --json
          perigee keys list --user acme/bot
        """)

    @Option(
      help: ArgumentHelp(
        "Only those that act on this user's behalf, a tenant's as acme/ann.", valueName: "id"))
    var user: String?

    @Flag(help: "Prints JSON.")
    var json = false

    @Option(help: ArgumentHelp("How many, the latest first; 1 to 200.", valueName: "count"))
    var limit = 50

    @OptionGroup var options: WorkspaceOptions

    func validate() throws {
      if !(1...200).contains(limit) { throw ValidationError("--limit must be 1 to 200") }
    }

    func run() async throws {
      try await options.withStore { store, _ in
        let page = try await store.apiKeys(userID: user, page: PageRequest(limit: limit))
        guard !json else {
          return Console.print(
            RawJSON([
              "data": .array(try page.items.map { try $0.json.value() }),
              "next": page.next.map { .string($0) } ?? .null,
            ]).text)
        }
        guard !page.items.isEmpty else { return Console.note("There are no API keys.") }
        let head = ["ID", "USER", "ROLES", "AGENTS", "STATE", "LAST USED", "NAME"]
        let now = SystemTime().now
        for line in Table.lines([head] + page.items.map { $0.cells(at: now) }, left: 7) {
          Console.print(line)
        }
      }
    }
  }

  struct Revoke: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "revoke", abstract: "Takes an API key back, for good; servers know within two seconds.",
      discussion: """
        Examples:
          perigee keys revoke k3v5q2m7a4b6c5d2
        """)

    @Argument(
      help: ArgumentHelp("The key's identifier, as 'perigee keys list' shows it.", valueName: "id"))
    var id: String

    @OptionGroup var options: WorkspaceOptions

    func run() async throws {
      try await options.withStore { store, _ in
        try await store.revokeAPIKey(id: id, by: Principal.local.actor, at: SystemTime().now)
        Console.note("It is revoked.")
      }
    }
  }
}

extension APIKeyRecord {
  fileprivate func cells(at now: Timestamp) -> [String] {
    let state =
      revokedAt != nil
      ? "revoked" : expiresAt.map { $0 <= now ? "expired" : "until \($0)" } ?? "in force"
    return [
      id, userID, roles.joined(separator: ","), agents.isEmpty ? "all" : agents.joined(separator: ","), state,
      lastUsedAt?.description ?? "never", name,
    ]
  }
}
