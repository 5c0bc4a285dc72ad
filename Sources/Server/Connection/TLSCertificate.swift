// SPDX-License-Identifier: Apache-2.0
import NIOCore
import NIOSSL
import Synchronization

/// The certificate that the listener shows, read again when its files have changed: connections that come from then on
/// get the new one.
public final class TLSCertificate: Sendable {
  private let certificateFile: String
  private let keyFile: String
  private let current: Mutex<Loaded>

  private struct Loaded {
    let context: NIOSSLContext
    let chain: [NIOSSLCertificate]
    let key: NIOSSLPrivateKey
  }

  /// - Parameters:
  ///   - certificateFile: PEM: the server's certificate, then those between it and a root.
  ///   - keyFile: PEM: the certificate's key.
  /// - Throws: ``ServerError`` `certificate`.
  public init(certificateFile: String, keyFile: String) throws(ServerError) {
    self.certificateFile = certificateFile
    self.keyFile = keyFile
    current = Mutex(try Self.load(certificateFile, keyFile))
  }

  /// Reads the files again; those that cannot be used change nothing.
  ///
  /// - Returns: Whether they hold another certificate or key than before.
  /// - Throws: ``ServerError`` `certificate`.
  public func reload() throws(ServerError) -> Bool {
    let loaded = try Self.load(certificateFile, keyFile)
    return current.withLock { current in
      let isNew = loaded.chain != current.chain || loaded.key != current.key
      if isNew { current = loaded }
      return isNew
    }
  }

  /// When the certificate ends, in seconds since 1970.
  public var expiry: Int64 { current.withLock { Int64($0.chain.first?.notValidAfter ?? 0) } }

  func handler() -> NIOSSLServerHandler { NIOSSLServerHandler(context: current.withLock { $0.context }) }

  private static func load(_ certificateFile: String, _ keyFile: String) throws(ServerError) -> Loaded {
    let chain: [NIOSSLCertificate]
    do {
      chain = try NIOSSLCertificate.fromPEMFile(certificateFile)
    } catch {
      throw .unusable("certificate", certificateFile, "it is not there, or holds no PEM certificate")
    }
    if chain.isEmpty { throw .unusable("certificate", certificateFile, "it holds no PEM certificate") }
    let key: NIOSSLPrivateKey
    do {
      key = try NIOSSLPrivateKey(file: keyFile, format: .pem)
    } catch {
      throw .unusable("key", keyFile, "it is not there, is encrypted, or holds no PEM key")
    }
    var configuration = TLSConfiguration.makeServerConfiguration(
      certificateChain: chain.map { .certificate($0) }, privateKey: .privateKey(key))
    configuration.minimumTLSVersion = .tlsv12
    configuration.applicationProtocols = ["http/1.1"]
    // A client that does not answer the end of TLS is not waited for.
    configuration.shutdownTimeout = .seconds(1)
    do {
      return Loaded(context: try NIOSSLContext(configuration: configuration), chain: chain, key: key)
    } catch {
      throw .unusable("key", keyFile, "it does not belong to the certificate in \(certificateFile)")
    }
  }
}

extension ServerError {
  fileprivate static func unusable(_ what: String, _ file: String, _ why: String) -> ServerError {
    ServerError(
      .certificate, "the TLS \(what) \(file) cannot be used: \(why)",
      hint: "server.tls.certificate_file and server.tls.key_file name PEM files that belong together")
  }
}
