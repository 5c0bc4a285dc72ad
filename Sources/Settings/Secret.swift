// SPDX-License-Identifier: Apache-2.0

/// A value that does not print itself.
public struct Secret: Sendable, Hashable, CustomStringConvertible, CustomDebugStringConvertible,
  CustomReflectable
{
  private let value: String

  public init(_ value: String) { self.value = value }

  /// Returns the secret itself, for the one place that needs it.
  public func reveal() -> String { value }

  public var description: String { "<secret>" }
  public var debugDescription: String { "<secret>" }
  public var customMirror: Mirror { Mirror(self, children: [(label: String?, value: Any)]()) }
}

/// A URL whose password does not print itself.
public struct ConnectionURL: RawRepresentable, Sendable, Hashable, CustomStringConvertible,
  CustomDebugStringConvertible, CustomReflectable
{
  /// As configured, password included.
  public let rawValue: String

  public init(rawValue: String) { self.rawValue = rawValue }

  public var description: String { Self.masked(rawValue) }
  public var debugDescription: String { description }
  public var customMirror: Mirror { Mirror(self, children: [(label: String?, value: Any)]()) }

  /// Same URL with `***` in place of user name and password, and of a query's values.
  static func masked(_ url: String) -> String {
    guard let scheme = url.firstRange(of: "://") else { return url }
    let rest = url[scheme.upperBound...]
    let authorityEnd = rest.firstIndex { "/?#".contains($0) } ?? rest.endIndex
    var shown = String(rest)
    if let at = rest[..<authorityEnd].lastIndex(of: "@") { shown = "***" + rest[at...] }
    if let query = shown.firstIndex(of: "?") { shown = shown[...query] + "***" }
    return url[..<scheme.upperBound] + shown
  }
}

extension Configuration {
  /// Reads a secret from the environment variable or the file that a key names.
  ///
  /// A set variable wins over the file; a trailing line break is not part of the secret.
  ///
  /// - Parameters:
  ///   - env: Value of an `…_env` key.
  ///   - file: Value of an `…_file` key, at most 64 KB.
  /// - Returns: `nil` when neither is set, or when what they hold is empty.
  /// - Throws: ``ConfigurationError`` when the file cannot be read.
  public static func secret(
    env: String?, file: String? = nil, environment: [String: String]
  ) throws(ConfigurationError) -> Secret? {
    if let env, let value = environment[env], let secret = trimmed(value) { return Secret(secret) }
    guard let file else { return nil }
    switch TextFile.load(file, bytesMax: 64 << 10) {
    case .text(let text): return trimmed(text).map { Secret($0) }
    case .absent:
      throw ConfigurationError(problems: [
        .init(source: .default, message: "the secret's file \(file) does not exist")
      ])
    case .unreadable(let why):
      throw ConfigurationError(problems: [
        .init(source: .default, message: "the secret's file \(file) cannot be read: \(why)")
      ])
    }
  }

  private static func trimmed(_ text: String) -> String? {
    var text = text[...]
    while let last = text.unicodeScalars.last, last == "\n" || last == "\r" {
      text.unicodeScalars.removeLast()
    }
    return text.isEmpty ? nil : String(text)
  }
}
