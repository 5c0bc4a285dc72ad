// SPDX-License-Identifier: Apache-2.0

/// One kind of thing that an ``Inspector`` looks for.
///
/// The order is that of specificity: where two detectors claim the same first byte, the earlier
/// one wins.
public enum Detector: String, CaseIterable, Sendable, Hashable {
  case privateKey = "private_key"
  case apiKey = "api_key"
  case token
  case password
  case iban
  case card
  case nationalID = "national_id"
  case email
  case phone
  case ipAddress = "ip_address"
  case maliciousCode = "malicious_code"
  case injection
  case profanity

  /// What a detector protects from.
  public enum Category: String, CaseIterable, Sendable, Hashable {
    case pii
    case secrets
    case profanity
    case maliciousCode = "malicious_code"
    case injection

    public var name: String { rawValue }

    /// What is looked for where only the category is named: ``Detector/ipAddress`` is not among
    /// it, since logs and network talk are full of addresses that are nobody's.
    public var detectors: [Detector] {
      Detector.allCases.filter { $0.category == self && $0 != .ipAddress }
    }
  }

  public var name: String { rawValue }

  public var category: Category {
    switch self {
    case .email, .phone, .iban, .card, .nationalID, .ipAddress: .pii
    case .apiKey, .privateKey, .token, .password: .secrets
    case .profanity: .profanity
    case .maliciousCode: .maliciousCode
    case .injection: .injection
    }
  }

  /// What `text.redact` and recordings of models put a label in place of: what people write of each other.
  public static let redacted: [Detector] = [.email, .phone, .iban, .card]

  /// One line for editors.
  public var summary: String {
    switch self {
    case .privateKey: "private keys in PEM blocks"
    case .apiKey: "keys of known providers, told by their prefix"
    case .token: "JSON web tokens, bearer tokens and basic credentials"
    case .password: "values of fields named password, and passwords in connection strings"
    case .iban: "bank account numbers whose length and check digits are right"
    case .card: "payment card numbers whose issuer and check digit are right"
    case .nationalID:
      "identity numbers of the US, GB, DE, FR, ES, IT, NL, PL, SE and BR, checked where they can be"
    case .email: "e-mail addresses"
    case .phone: "phone numbers, international or with the separators of a national form"
    case .ipAddress: "IPv4 and IPv6 addresses; not part of pii"
    case .maliciousCode: "scripts in markup, and SQL, shell, path, template and XML injection"
    case .injection: "instructions smuggled into a text, forged chat markup and invisible characters"
    case .profanity: "English swear words, and the words given"
    }
  }

  /// The detectors that a configured word means: a category's, a detector itself, or none.
  public static func named(_ name: String) -> [Detector] {
    if let category = Category(rawValue: name) { return category.detectors }
    return Detector(rawValue: name).map { [$0] } ?? []
  }
}

/// A set of detectors, one bit each; the lowest bit is the most specific one.
struct DetectorSet: OptionSet, Sendable {
  let rawValue: UInt16

  init(rawValue: UInt16) { self.rawValue = rawValue }

  init(_ detectors: some Sequence<Detector>) {
    self = detectors.reduce(into: []) { $0.formUnion(DetectorSet($1)) }
  }

  init(_ detector: Detector) { self.init(rawValue: 1 << detector.rank) }

  static var iban: DetectorSet { DetectorSet(.iban) }
  static var card: DetectorSet { DetectorSet(.card) }
  static var nationalID: DetectorSet { DetectorSet(.nationalID) }
  static var email: DetectorSet { DetectorSet(.email) }
  static var phone: DetectorSet { DetectorSet(.phone) }
  static var ipAddress: DetectorSet { DetectorSet(.ipAddress) }
  /// Those that begin with a digit and are told by how many there are.
  static var numbers: DetectorSet { [.card, .nationalID, .phone] }
  /// Those that begin with letters which no list can name.
  static var lettered: DetectorSet { [.iban, .nationalID] }
}

extension Detector {
  static let ranked = allCases

  /// Place in the order of specificity.
  var rank: UInt16 {
    switch self {
    case .privateKey: 0
    case .apiKey: 1
    case .token: 2
    case .password: 3
    case .iban: 4
    case .card: 5
    case .nationalID: 6
    case .email: 7
    case .phone: 8
    case .ipAddress: 9
    case .maliciousCode: 10
    case .injection: 11
    case .profanity: 12
    }
  }
}
