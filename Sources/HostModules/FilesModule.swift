// SPDX-License-Identifier: Apache-2.0
import Core
import LuaHost

extension HostModule {
  /// `files`: texts that belong to the scripts.
  ///
  /// They were read with the scripts and are part of their version: nothing here touches the disk.
  static let files = HostModule(
    "files",
    "Texts under `files/` of the workspace: price lists, letters, rules. They belong to the version of the scripts that the run is on.",
    functions: [
      Function(
        "read", "Gives a file's text.",
        [Parameter("path", "string", "under `files/`: `prices/eu.json`")], returns: "string",
        capability: #"files = "read""#,
        example: #"local prices = json.decode(files.read("prices/eu.json"))"#,
        body: .answers(read, named: "files.read")),
      Function(
        "list", "Lists the files, by path.",
        [Parameter("folder", "string?", "only those in it: `prices`")], returns: "string[]",
        capability: #"files = "read""#,
        example: #"for _, path in ipairs(files.list("letters")) do log.info(path) end"#,
        body: .answers(list, named: "files.list")),
    ])

  @Sendable private static func read(_ arguments: Arguments, _ scope: ScriptScope) throws -> LuaValue {
    try scope.need({ $0.files >= .read }, #"files = "read""#, for: "files.read")
    let path = try arguments.string(1)
    guard let bytes = scope.texts[path] else {
      let hint = Suggestion.hint(for: path, in: scope.texts.keys.sorted())
      throw Failure(.notFound, "there is no file 'files/\(path)'\(hint.map { ": \($0)" } ?? "")")
    }
    return .bytes(bytes)
  }

  @Sendable private static func list(_ arguments: Arguments, _ scope: ScriptScope) throws -> LuaValue {
    try scope.need({ $0.files >= .read }, #"files = "read""#, for: "files.list")
    var prefix = ""
    if arguments.value(1) != .nil {
      prefix = try arguments.string(1)
      if !prefix.isEmpty, !prefix.hasSuffix("/") { prefix += "/" }
    }
    return .array(scope.texts.keys.filter { $0.hasPrefix(prefix) }.sorted().map { .string($0) })
  }
}
