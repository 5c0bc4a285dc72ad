// SPDX-License-Identifier: Apache-2.0
import Core
import Hummingbird
import JSONCodec
import NIOCore

/// Tells which version is in force and what is wrong with the last edit: at once, and again whenever that changes.
struct VersionEvents: Sendable {
  let scripts: any ScriptVersions
  let exchange: Exchange

  private var connection: Connection? { exchange.connection }

  /// Writes until the client leaves or the server stops.
  @concurrent
  func write(to writer: inout any ResponseBodyWriter, requestID: String) async throws {
    let (wakes, wake) = AsyncStream<Void>.makeStream(bufferingPolicy: .bufferingNewest(1))
    let changes = scripts.changes()
    connection?.onDeparture { wake.finish() }
    connection?.onQuiesce { wake.finish() }
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { for await _ in changes { wake.yield() } }
      group.addTask {
        while true {
          try await Task.sleep(for: EventStream.keepAlive)
          wake.yield()
        }
      }
      defer { group.cancelAll() }
      var last: [UInt8] = []
      wake.yield()
      for await _ in wakes {
        guard let user = try? await exchange.identifyAgain(), user.runsHost else { break }
        let document = CurrentVersion(scripts).bytes()
        var buffer = ByteBuffer()
        if document == last {
          buffer.writeStaticString(": keep-alive\n\n")
        } else {
          buffer.writeStaticString("event: scripts\ndata: ")
          buffer.writeBytes(document)
          buffer.writeStaticString("\n\n")
        }
        last = document
        try await writer.write(buffer)
      }
    }
    try await writer.finish(nil)
  }
}

/// Which version is in force, which one is tried, and what keeps the last edit from either.
struct CurrentVersion: Document {
  private let deployment: Deployment
  private let problems: [ScriptProblem]

  init(_ scripts: any ScriptVersions) {
    deployment = scripts.deployment
    problems = scripts.problems
  }

  func write(to writer: inout JSONWriter) {
    writer.object {
      $0.member("version", deployment.active.version)
      $0.key("candidate")
      if let candidate = deployment.candidate {
        $0.object {
          $0.member("version", candidate.host.version)
          $0.member("canary_percent", candidate.percent)
        }
      } else {
        $0.writeNull()
      }
      $0.member("problems", problems)
    }
  }
}
