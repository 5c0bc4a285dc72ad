// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Core
import FoundationEssentials
import Identity
import JSONCodec
import Settings

/// `perigee token`.
struct TokenCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "token", abstract: "Makes a token that this workspace's server accepts, to try things with.",
    discussion: """
      Signs with the secret of auth.jwt, or with a private key. Issuer, audience and the names of the claims are
      those of auth.jwt.

      Examples:
        perigee token --user ann
        perigee token --user ops --role operator --ttl 8h
        perigee token --tenant acme --user ann
        perigee token --user ann --claim team=blue --key-file private.pem
      """)

  @Option(help: ArgumentHelp("Whom it names.", valueName: "id"))
  var user: String

  @Option(help: TenantName.help)
  var tenant: TenantName?

  @Option(
    name: .customLong("role"),
    help: ArgumentHelp("May be given more than once. (default: user)", valueName: "role"))
  var roles: [String] = []

  @Option(help: ArgumentHelp("What people call the user.", valueName: "name"))
  var name: String?

  @Option(
    name: .customLong("claim"),
    help: ArgumentHelp(
      "Another claim, as JSON or else as text; may be given more than once.", valueName: "name=value"))
  var claims: [String] = []

  @Option(help: ArgumentHelp("How long it counts: 90s, 15m, 8h, 30d.", valueName: "time"))
  var ttl = "1h"

  @Option(
    help: ArgumentHelp("PEM file of a private key, in place of the secret.", valueName: "file"))
  var keyFile: String?

  @Option(help: ArgumentHelp("The key's name, for the token's head.", valueName: "kid"))
  var keyID: String?

  @OptionGroup var options: WorkspaceOptions

  func run() async throws {
    let configuration = try options.configuration()
    guard let lifetime = WrittenDuration(ttl) else {
      throw CommandError(message: "--ttl '\(ttl)' is no time", hint: "write 90s, 15m, 8h or 30d")
    }
    var draft = TokenDraft(
      userID: user, tenant: tenant?.tenant, name: name, roles: roles.isEmpty ? ["user"] : roles,
      lifetime: lifetime.duration)
    for claim in claims {
      guard let separator = claim.firstIndex(of: "="), separator != claim.startIndex else {
        throw CommandError(message: "--claim '\(claim)' has no name", hint: "write --claim team=blue")
      }
      let text = String(claim[claim.index(after: separator)...])
      draft.claims.append(
        String(claim[..<separator]), (try? JSON(parsing: text)) ?? .string(text))
    }
    do {
      let signer = try await signer(configuration.auth.jwt)
      Console.print(try signer.sign(draft, for: configuration.auth.jwt.policy, at: SystemTime().now))
    } catch let error as IdentityError {
      throw CommandError(message: error.message, hint: error.hint)
    }
  }

  private func signer(_ jwt: Configuration.JWT) async throws -> TokenSigner {
    if let keyFile {
      guard let data = FileManager.default.contents(atPath: keyFile) else {
        throw CommandError(message: "\(keyFile) cannot be read", hint: "is it there, and may you read it?")
      }
      return try await .privateKey(pem: String(decoding: data, as: UTF8.self), kid: keyID)
    }
    guard let (secret, algorithm) = try jwt.secret(environment: options.environment) else {
      throw CommandError(
        message: "auth.jwt takes no tokens that are signed with a secret",
        hint: "name a private key: --key-file")
    }
    return try await .secret(secret, algorithm: algorithm, kid: keyID)
  }
}
