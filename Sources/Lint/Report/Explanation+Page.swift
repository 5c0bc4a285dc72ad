// SPDX-License-Identifier: Apache-2.0

extension Explanation {
  /// The part of `docs/lint.md` that speaks of it.
  public var page: String {
    var lines = ["## \(code): \(title)", "", "\(severity.rawValue.capitalizedFirst). \(reason)", ""]
    if !wrong.isEmpty, wrong.utf8.count < 400 {
      lines += ["Wrong (`\(path)`):", "", "```lua", wrong.withoutLastBreak, "```", ""]
      lines += ["Right:", "", "```lua", right.withoutLastBreak, "```", ""]
    }
    lines.append(
      isIgnorable
        ? "To ignore it: `-- perigee: ignore \(code) because …` on the line or above it."
        : "It cannot be ignored.")
    return lines.joined(separator: "\n")
  }

  /// `docs/lint.md`.
  public static var reference: String {
    let head = """
      # What `perigee lint` finds

      `perigee lint` reads scripts and never runs them. `perigee lint --explain P101` prints one of these parts; `--fix`
      mends what can be mended without changing what a script does, and says what it did; `--watch` looks again after every
      save. An error fails when the code is reached, or keeps the workspace from being loaded: `perigee serve` refuses it,
      too. A warning is most likely a mistake, an info is worth knowing.

      A finding that is meant so is excused with a reason, on its line or above it:

      ```lua
      -- perigee: ignore P111 because the next release needs it
      local unused = 1
      ```

      Codes: `P0…` Lua's syntax, `P1…` what Lua code does, `P9…` these comments, `W1…` files, `W2…` agents and tools,
      `W3…` workflows, `W4…` evals, `C1…` the configuration.
      """
    let table = all.map { "| [\($0.code)](#\($0.anchor)) | \($0.severity.rawValue) | \($0.title) |" }
    return ([head, "", "| code | severity | |", "|---|---|---|"] + table + [""]).joined(separator: "\n")
      + "\n"
      + all.map(\.page).joined(separator: "\n\n") + "\n"
  }

  /// As GitHub makes it of the heading.
  private var anchor: String {
    String(
      "\(code): \(title)".lowercased().compactMap {
        $0 == " " ? "-" : $0.isLetter || $0.isNumber || $0 == "-" || $0 == "_" ? $0 : nil
      })
  }
}

extension String {
  fileprivate var capitalizedFirst: String { prefix(1).uppercased() + dropFirst() }
  fileprivate var withoutLastBreak: String { hasSuffix("\n") ? String(dropLast()) : self }
}
