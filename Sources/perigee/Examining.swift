// SPDX-License-Identifier: Apache-2.0
import Core
import Logging
import ServiceLifecycle
import Storage

/// Looks through the databases for damage once the server is up: what a disk has lost does not show by itself.
struct Examining: Service {
  let host: Host
  let logger: Logger

  func run() async throws {
    await cancelWhenGracefulShutdown {
      await complaining(of: "perigee.sqlite") { try await host.store.examine() }
      await complaining(of: "workspace.sqlite") { try await host.scripts.examine() }
    }
    // A service that returns would end the others.
    try? await gracefulShutdown()
  }

  private func complaining(of file: String, _ body: () async throws -> Void) async {
    do {
      try await body()
    } catch is CancellationError {
    } catch {
      let failure = Failure(error)
      logger.critical(
        "\(file): \(failure.message)", metadata: ["diagnostic": "\(failure.diagnostic ?? "")"])
    }
  }
}
