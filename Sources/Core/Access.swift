// SPDX-License-Identifier: Apache-2.0

/// What a function of a script may touch beside the calls that are always free; nothing unless named.
public struct Access: Sendable, Hashable {
  public enum Level: Int, Sendable, Comparable {
    case none, read, write
    public static func < (left: Level, right: Level) -> Bool { left.rawValue < right.rawValue }
  }

  public var database: Level
  public var keyValue: Level
  public var memory: Level
  public var files: Level
  public var queue: Bool
  public var models: Bool
  public var requests: [RequestGrant]

  public init(
    database: Level = .none, keyValue: Level = .none, memory: Level = .none, files: Level = .none,
    queue: Bool = false, models: Bool = false, requests: [RequestGrant] = []
  ) {
    self.database = database
    self.keyValue = keyValue
    self.memory = memory
    self.files = files
    self.queue = queue
    self.models = models
    self.requests = requests
  }
}

/// What may be sent to a host: `api.example.com`, or `GET,HEAD api.example.com` for these methods only.
public struct RequestGrant: Sendable, Hashable, CustomStringConvertible {
  /// Upper case; `nil` = all.
  public let methods: Set<String>?
  public let host: HostPattern

  static let known: Set<String> = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]

  /// Parses a grant; `nil` when it is not a host, or a list of methods and a host.
  public init?(_ text: String) {
    let words = text.split(separator: " ", omittingEmptySubsequences: false)
    guard let last = words.last, words.count <= 2, let host = HostPattern(String(last)) else { return nil }
    self.host = host
    guard words.count == 2 else {
      methods = nil
      return
    }
    let methods = words[0].split(separator: ",", omittingEmptySubsequences: false).map { $0.uppercased() }
    guard methods.allSatisfy(Self.known.contains) else { return nil }
    self.methods = Set(methods)
  }

  public func allows(_ method: String, host: String, port: Int) -> Bool {
    (methods?.contains(method.uppercased()) ?? true) && self.host.matches(host: host, port: port)
  }

  public var description: String {
    (methods.map { $0.sorted().joined(separator: ",") + " " } ?? "") + host.description
  }
}

/// A host that may be reached: `api.example.com` (ports 80 and 443), `*.example.org:8443`.
public struct HostPattern: Sendable, Hashable, CustomStringConvertible {
  /// Lower case, without the `*.`.
  public let name: String
  public let matchesSubdomains: Bool
  /// `nil` = 80 and 443.
  public let port: Int?

  /// Parses a pattern; `nil` when it is not a host name with an optional port.
  public init?(_ text: String) {
    var rest = Substring(text.lowercased())
    matchesSubdomains = rest.hasPrefix("*.")
    if matchesSubdomains { rest = rest.dropFirst(2) }
    if let colon = rest.lastIndex(of: ":"), !rest.hasSuffix("]") {
      guard let port = Int(rest[rest.index(after: colon)...]), (1...65_535).contains(port) else { return nil }
      self.port = port
      rest = rest[..<colon]
    } else {
      port = nil
    }
    let isBracketed = rest.hasPrefix("[") && rest.hasSuffix("]")
    let isAllowed = rest.utf8.allSatisfy { byte in
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"): true
      case UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"): true
      case UInt8(ascii: "["), UInt8(ascii: "]"), UInt8(ascii: ":"): isBracketed
      default: false
      }
    }
    guard !rest.isEmpty, isAllowed else { return nil }
    name = String(rest)
  }

  public func matches(host: String, port: Int) -> Bool {
    guard self.port.map({ $0 == port }) ?? (port == 80 || port == 443) else { return false }
    let host = host.lowercased()
    return matchesSubdomains ? host.hasSuffix("." + name) : host == name
  }

  public var description: String {
    (matchesSubdomains ? "*." : "") + name + (port.map { ":\($0)" } ?? "")
  }
}
