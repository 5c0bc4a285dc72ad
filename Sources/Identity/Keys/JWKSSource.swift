// SPDX-License-Identifier: Apache-2.0

/// Where the keys of an issuer are published; the caller brings the network.
public protocol JWKSSource: Sendable {
  /// Fetches the document once, and ends within a time of its own (10 seconds are plenty).
  ///
  /// - Returns: The body of a 200, and the `max-age` of its `Cache-Control`, where there is one.
  /// - Throws: Whatever keeps it from that; its description goes to the log.
  func load() async throws -> (document: [UInt8], maxAge: Duration?)
}

/// How an attempt to fetch published keys ended, for the log.
public struct JWKSReport: Sendable, Hashable {
  /// Keys in force afterwards.
  public let keyCount: Int
  public let skipped: [VerificationKeys.Skipped]
  /// Why the attempt failed; the keys before it stay in force, for a day at most.
  public let failure: String?
}
