// SPDX-License-Identifier: Apache-2.0
import Core
import Logging
import Server
import ServiceLifecycle
import UnixSignals

/// Takes over the certificate's files as they are renewed: on SIGHUP, and each minute.
struct RenewingCertificate: Service {
  private static let interval: Duration = .seconds(60)
  /// From when on it is said that a certificate ends soon.
  private static let warningSeconds: Int64 = 14 * 86_400

  let certificate: TLSCertificate
  let time = SystemTime()
  let logger: Logger

  func run() async throws {
    warn()
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask {
        for await _ in await UnixSignalsSequence(trapping: .sighup).cancelOnGracefulShutdown() { reload() }
      }
      group.addTask {
        try? await cancelWhenGracefulShutdown {
          while true {
            try await time.sleep(for: Self.interval)
            reload()
          }
        }
      }
      try await group.waitForAll()
    }
  }

  private func reload() {
    do {
      guard try certificate.reload() else { return }
      logger.info("new connections get the renewed certificate")
      warn()
    } catch {
      logger.error("\(error.message); the one before stays", metadata: ["hint": "\(error.hint)"])
    }
  }

  private func warn() {
    let left = certificate.expiry - time.now.milliseconds / 1000
    guard left < Self.warningSeconds else { return }
    logger.warning(
      left < 0 ? "the certificate has ended" : "the certificate ends in \(left / 86_400) days",
      metadata: ["hint": "renew the file that server.tls.certificate_file names"])
  }
}
