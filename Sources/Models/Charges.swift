// SPDX-License-Identifier: Apache-2.0
import Core
import Synchronization
import Transport

/// What the failed attempts of one call, and those that another one overtook, have probably been charged.
///
/// A provider charges for what it began to answer, and may for what it was sent and never answered; not for what it
/// refuses with a status, nor for what never reached it.
final class Charges: Sendable {
  private let sum = Mutex(Usage())

  var usage: Usage { sum.withLock { $0 } }

  func add(_ usage: Usage) { sum.withLock { $0 += usage } }

  /// Counts an attempt that failed.
  ///
  /// - Parameter inputTokens: Estimate of what was sent, for a provider that did not count it.
  func add(_ error: any Error, inputTokens: Int, price: TokenPrice?) {
    guard let part = Self.part(of: error) else { return }
    let input = part.inputTokens ?? inputTokens
    add(
      Usage(
        inputTokens: input, outputTokens: part.outputTokens,
        costUSD: price?.cost(inputTokens: input, outputTokens: part.outputTokens), isEstimated: true))
  }

  /// Counts an attempt that was cancelled because another one answers: it may be charged for what it was sent.
  func addCancelled(inputTokens: Int, price: TokenPrice?) {
    add(
      Usage(
        inputTokens: inputTokens, costUSD: price?.cost(inputTokens: inputTokens, outputTokens: 0),
        isEstimated: true))
  }

  private static func part(of error: any Error) -> AnswerPart? {
    switch error {
    // An answer, and not one that is of use.
    case let failure as ProviderFailure: failure.part ?? (failure.error.status == 200 ? AnswerPart() : nil)
    case let failure as TransportError: failure.mayHaveBeenSent ? AnswerPart() : nil
    default: nil
    }
  }
}

/// What of an answer had come when it failed.
struct AnswerPart: Sendable {
  /// As the provider counted; `nil` = it did not.
  var inputTokens: Int?
  var outputTokens = 0
}
