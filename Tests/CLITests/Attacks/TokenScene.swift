// SPDX-License-Identifier: Apache-2.0
import Foundation
import JSONCodec
import TestSupport

/// A server that wants tokens, and what makes them.
struct TokenScene: Sendable {
  static let secret = "a secret that is long enough for HS256, of which nobody else knows"

  let workspace: Folder
  let data: Folder
  let server: RunningServer

  init(
    _ scripts: [String: String], auth: String = "auth: { mode: any }", configuration: String = "",
    environment: [String: String] = [:],
    arguments: [String] = []
  ) async throws {
    var files = scripts
    files["perigee.yaml"] =
      auth + "\nlimits: { requests_per_minute: 0, requests_per_hour: 0 }\n" + configuration
    workspace = try Folder(files)
    data = try Folder()
    server = try await RunningServer(
      workspace: workspace.path, data: data.path,
      environment: environment.merging(["PERIGEE_JWT_SECRET": Self.secret]) { $1 }, arguments: arguments)
  }

  func run(_ words: String...) async throws -> Outcome {
    try await perigee(
      words + ["--workspace", workspace.path, "--data", data.path],
      environment: ["PERIGEE_JWT_SECRET": Self.secret])
  }

  func token(_ user: String, _ roles: String..., tenant: String? = nil) async throws -> String {
    let made = try await perigee(
      ["token", "--user", user] + (tenant.map { ["--tenant", $0] } ?? [])
        + roles.flatMap { ["--role", $0] } + ["--workspace", workspace.path],
      environment: ["PERIGEE_JWT_SECRET": Self.secret])
    return made.output.trimmingCharacters(in: .newlines)
  }

  func send(
    _ method: String, _ path: String, as token: String, _ body: JSON? = nil,
    headers: [(name: String, value: String)] = []
  ) async throws -> RunningServer.Answer {
    try await server.send(
      method, path, body: body.map { RawJSON($0).bytes },
      headers: [("Authorization", "Bearer \(token)")] + headers)
  }

  func chat(
    _ agent: String, _ message: String, as token: String, session: String = "s"
  ) async throws -> RunningServer.Answer {
    try await send(
      "POST", "/v1/agents/\(agent)/chat", as: token,
      ["message": .string(message), "session_id": .string(session)])
  }
}
