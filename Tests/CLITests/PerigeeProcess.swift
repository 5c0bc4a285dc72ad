// SPDX-License-Identifier: Apache-2.0
import Foundation
import JSONCodec
import TestSupport
import Transport

/// A temporary folder that is gone after the test.
final class Folder: Sendable {
  let path: String

  init(_ files: [String: String] = [:]) throws {
    path = FileManager.default.temporaryDirectory.path + "/perigee-" + UUID().uuidString
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    for (name, text) in files { try write(name, text) }
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  func write(_ name: String, _ text: String) throws {
    let url = URL(filePath: "\(path)/\(name)")
    try FileManager.default.createDirectory(
      at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
    try Data(text.utf8).write(to: url)
  }

  func read(_ name: String) throws -> String {
    try String(contentsOfFile: "\(path)/\(name)", encoding: .utf8)
  }
}

/// The built binary.
enum PerigeeBinary {
  /// Beside the test bundle, where the package manager puts both.
  static var url: URL {
    URL(filePath: ProcessInfo.processInfo.arguments[0]).resolvingSymlinksInPath().deletingLastPathComponent()
      .appending(path: "perigee")
  }

  /// The repository, for the scripts that ship.
  static let repository = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().path

  /// Without what the developer's shell may say about models.
  static func environment(_ changes: [String: String]) -> [String: String] {
    ProcessInfo.processInfo.environment
      .filter { !$0.key.hasPrefix("OPENAI_") && !$0.key.hasPrefix("AGENT_") && !$0.key.hasPrefix("PERIGEE_") }
      .merging(changes) { $1 }
  }

  /// - Parameter wrapper: A command that starts the binary as its last arguments say.
  static func start(
    _ arguments: [String], environment changes: [String: String] = [:], wrapper: [String] = []
  ) throws -> ChildProcess {
    let words = wrapper + [url.path] + arguments
    return try ChildProcess(words[0], Array(words.dropFirst()), environment: environment(changes))
  }
}

struct Outcome: Sendable {
  var status: Int32
  var output: String
  var errors: String
}

/// Runs a command to its end.
func perigee(
  _ arguments: String..., environment: [String: String] = [:], input: String = ""
) async throws -> Outcome {
  try await perigee(arguments, environment: environment, input: input)
}

func perigee(
  _ arguments: [String], environment: [String: String] = [:], input: String = ""
) async throws -> Outcome {
  let process = try PerigeeBinary.start(arguments, environment: environment)
  process.send(input: input)
  async let output = process.output.text()
  async let errors = process.errors.text()
  return await Outcome(status: process.end(), output: output, errors: errors)
}

/// A server of the built binary on a port of its own; a test stops it once.
final class RunningServer: Sendable {
  private let process: ChildProcess
  let origin: String
  var port: Int { origin.split(separator: ":").last.flatMap { Int($0) } ?? 0 }
  let client: HTTPClient
  private let errorText: Task<String, Never>

  /// Returns when the server has said where it listens.
  init(
    workspace: String, data: String, environment: [String: String] = [:], command: String = "serve",
    arguments: [String] = [], wrapper: [String] = []
  ) async throws {
    let process = try PerigeeBinary.start(
      [command, "--workspace", workspace, "--data", data, "--port", "0"] + arguments,
      environment: environment,
      wrapper: wrapper)
    self.process = process
    process.send(input: "")
    errorText = Task { await process.errors.text() }
    let line = await process.output.line()
    guard let start = line.range(of: "http://") else {
      throw Stopped(message: "the server did not start: \(line) \(await errorText.value)")
    }
    origin = String(line[start.lowerBound...])
    client = try HTTPClient()
  }

  struct Stopped: Error, CustomStringConvertible {
    let message: String
    var description: String { message }
  }

  /// Sends SIGTERM and waits; what the server wrote on standard error.
  @discardableResult
  func stop(signal: Int32 = SIGTERM) async -> (status: Int32, log: String) {
    process.send(signal: signal)
    let status = await process.end()
    await client.shutdown()
    return (status, await errorText.value)
  }

  var identifier: Int32 { process.identifier }

  func send(_ signal: Int32) { process.send(signal: signal) }

  struct Answer: Sendable {
    var status: Int
    var json: JSON
    var text: String
    var headers: HTTPHeaders
  }

  func get(_ path: String) async throws -> Answer { try await send("GET", path, body: nil) }

  func post(_ path: String, _ body: JSON) async throws -> Answer {
    try await send("POST", path, body: RawJSON(body).bytes)
  }

  func send(
    _ method: String, _ path: String, body: [UInt8]?, contentType: String = "application/json",
    headers: [(name: String, value: String)] = []
  ) async throws -> Answer {
    let response = try await client.send(
      HTTPRequest(
        method: method, url: origin + path,
        headers: headers + (body == nil ? [] : [("content-type", contentType)]),
        body: body, timeout: .seconds(120)))
    return Answer(
      status: response.status, json: (try? JSON(parsing: response.body)) ?? .null,
      text: String(decoding: response.body, as: UTF8.self), headers: response.headers)
  }

  func chat(
    _ agent: String, _ message: String, session: String? = nil, input: JSON? = nil
  ) async throws -> Answer {
    var body: JSONObject = JSONObject([("message", .string(message))])
    if let session { body.append("session_id", .string(session)) }
    if let input { body.append("input", input) }
    return try await post("/v1/agents/\(agent)/chat", .object(body))
  }

  /// Runs `body` with a server and stops it afterwards.
  static func with(
    workspace: String = PerigeeBinary.repository, environment: [String: String] = [:],
    _ body: (RunningServer) async throws -> Void
  ) async throws {
    let data = try Folder()
    let server = try await RunningServer(workspace: workspace, data: data.path, environment: environment)
    do {
      try await body(server)
    } catch {
      await server.stop()
      throw error
    }
    await server.stop()
  }
}
