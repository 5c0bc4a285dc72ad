// SPDX-License-Identifier: Apache-2.0
public import Core
import LuaHost
import Transport

/// The secrets that scripts may put into requests (`scripts.secrets` in perigee.yaml), and never see.
public struct ScriptSecrets: Sendable {
  public struct Entry: Sendable {
    /// `nil` = its variable is not set.
    let value: String?
    /// Variable that holds it.
    let variable: String
    let hosts: [HostPattern]

    public init(value: String?, variable: String, hosts: [HostPattern]) {
      self.value = value
      self.variable = variable
      self.hosts = hosts
    }
  }

  private let entries: [String: Entry]
  /// Begins every handle: text from outside cannot contain one by chance or by guessing.
  private let mark = "{secret:" + Identifier.randomUUID() + ":"

  public init(_ entries: [String: Entry] = [:]) { self.entries = entries }

  /// What stands for a secret in a script.
  ///
  /// - Throws: ``HostError`` as ``find(_:)``.
  func handle(_ name: String) throws(HostError) -> String {
    _ = try find(name)
    return mark + name + "}"
  }

  /// - Throws: ``HostError`` `not_found` for a name that is not configured, or whose variable is not set.
  private func find(_ name: String) throws(HostError) -> Entry {
    guard let entry = entries[name] else {
      let known = entries.keys.sorted().joined(separator: ", ")
      throw HostError(
        Failure(
          .notFound,
          "there is no secret '\(name)'; "
            + (known.isEmpty ? "scripts.secrets in perigee.yaml names none" : "there are: \(known)")))
    }
    guard entry.value != nil else {
      throw HostError(
        Failure(.notFound, "the secret '\(name)' is not set: the server has no \(entry.variable)"))
    }
    return entry
  }

  /// The header with its handles replaced, to be sent where all of their secrets may go; `nil` when it has none.
  ///
  /// - Throws: ``HostError`` as ``find(_:)``.
  func header(_ name: String, _ text: String) throws(HostError) -> HTTPRequest.BoundHeader? {
    if entries.isEmpty { return nil }
    let pieces = text.split(separator: mark, omittingEmptySubsequences: false)
    guard pieces.count > 1 else { return nil }
    var value = String(pieces[0])
    var secrets: [Entry] = []
    for piece in pieces.dropFirst() {
      guard let end = piece.firstIndex(of: "}") else { return nil }
      let entry = try find(String(piece[..<end]))
      value += (entry.value ?? "") + piece[piece.index(after: end)...]
      secrets.append(entry)
    }
    return HTTPRequest.BoundHeader(name: name, value: value) { [secrets] to in
      secrets.allSatisfy { $0.hosts.contains { $0.mayReceive(to) } }
    }
  }

  /// Bytes that came from outside, without the secrets that a server repeated.
  func redact(_ bytes: [UInt8]) -> [UInt8] {
    entries.values.reduce(bytes) { bytes, entry in
      guard let value = entry.value, !value.isEmpty else { return bytes }
      return bytes.replacing(Array(value.utf8), with: Array("[redacted]".utf8))
    }
  }

  func redact(_ text: String) -> String {
    entries.isEmpty ? text : String(decoding: redact(Array(text.utf8)), as: UTF8.self)
  }
}

extension HostPattern {
  /// Only encrypted, unless the operator named the very port.
  fileprivate func mayReceive(_ to: EgressPolicy.Destination) -> Bool {
    matches(host: to.host, port: to.port) && (to.scheme == "https" || port != nil)
  }
}

extension HostModule {
  /// `secrets`: keys of other services, to be sent and never read.
  static let secrets = HostModule(
    "secrets",
    "Keys of other services. A script gets a handle, which stands for the key in a header of `http`; the key itself is never seen.",
    functions: [
      Function(
        "get",
        "Finds a secret of `scripts.secrets` in perigee.yaml. The handle is text without meaning: in a header it is replaced by the key, for the hosts that the key is bound to; printed, logged or sent elsewhere it stays what it is.",
        [Parameter("name", "string", "as `scripts.secrets` has it")], returns: "string",
        example:
          #"local answer = http.get(url, { headers = { Authorization = "Bearer " .. secrets.get("stripe") } })"#,
        body: .answers(
          { arguments, scope in .string(try scope.resources.secrets.handle(try arguments.string(1))) },
          named: "secrets.get"))
    ])
}
