// SPDX-License-Identifier: Apache-2.0

extension MaliciousCode {
  /// Commands with what makes them more than a word of prose or an innocent step of a script.
  private static let commands: [StaticString] = [
    "rm -rf", "rm -fr", "rm -r /", "rm -f /", "sudo rm", "curl http", "curl -", "curl $", "wget http",
    "wget -", "nc -", "ncat -",
    "bash -c", "bash -i", "sh -c", "sh -i", "zsh -c", "cat /etc/", "cat ~/.ssh", "python -c", "python3 -c",
    "perl -e",
    "ruby -e", "php -r", "chmod 777", "chmod +x", "mkfs", "dd if=", "whoami", "shutdown -", "cat /proc/",
    "base64 -d",
    "exec /bin/", "/bin/sh", "/bin/bash", "powershell -", "invoke-webrequest", "certutil -",
  ]

  /// The first bytes of all commands.
  private static let openers = ByteSet("rscwnbzpmdei/")

  /// The end of a command behind a separator of the shell, or of `sh` behind a pipe.
  static func command(in reader: inout Reader, after start: Int) -> Int? {
    var at = start + 1
    if ByteSet("|&").contains(reader[at]) { at += 1 }
    at = reader.run(of: .spaces, from: at, bytesMax: 4)
    if let end = command(in: &reader, at: at) { return end }
    // A cell of a table begins a line, or has a bar on either side.
    guard reader[start] == UInt8(ascii: "|"), reader[start + 1] != UInt8(ascii: "|"),
      hasText(before: start, in: reader)
    else { return nil }
    if reader.has("sudo ", at: at) { at += 5 }
    guard let end = reader.end(ofAny: ["sh", "bash", "zsh"], at: at) else { return nil }
    let next = reader.run(of: .spaces, from: end, bytesMax: 4)
    let follows = reader[next]
    let ends: Bool =
      follows == 0 || follows == 0x0A || follows == 0x0D || ByteSet("-;&\"'`)").contains(follows)
    return ends ? end : nil
  }

  private static func hasText(before start: Int, in reader: Reader) -> Bool {
    var at = start - 1
    while at > start - 9, ByteSet.spaces.contains(reader.past(at)) { at -= 1 }
    return at >= 0 && !ByteSet("\n|").contains(reader.past(at)) && at > start - 9
  }

  static func command(in reader: inout Reader, at start: Int) -> Int? {
    guard openers.contains(reader[start].lowercased) else { return nil }
    for command in commands where reader.has(command, at: start) { return start + command.utf8CodeUnitCount }
    return nil
  }

  /// Two steps up and more, as such or in percent signs; not where a program imports a file.
  static func traversal(in reader: inout Reader, at start: Int) -> Int? {
    var at = start
    var steps = 0
    while steps < 16, let next = step(in: &reader, at: at) {
      at = next
      steps += 1
    }
    guard steps > 1, reader.past(start - 1) != UInt8(ascii: "."), !isImport(before: start, in: reader) else {
      return nil
    }
    return at
  }

  private static func step(in reader: inout Reader, at start: Int) -> Int? {
    var at = start
    if reader.hasExactly("..", at: at) {
      at += 2
    } else if reader.has("%2e%2e", at: at) {
      at += 6
    } else {
      return nil
    }
    if reader[at] == UInt8(ascii: "/") || reader[at] == UInt8(ascii: "\\") { return at + 1 }
    return reader.has("%2f", at: at) || reader.has("%5c", at: at) ? at + 3 : nil
  }

  /// Whether a path follows a word that refers to a file of the same project, or a link's bracket.
  private static func isImport(before start: Int, in reader: Reader) -> Bool {
    var at = start
    if ByteSet("\"'`<").contains(reader.past(at - 1)) { at -= 1 }
    if reader.past(at - 1) == UInt8(ascii: "("), reader.past(at - 2) == UInt8(ascii: "]") { return true }
    while at > start - 4, ByteSet(" (=:").contains(reader.past(at - 1)) { at -= 1 }
    let words: [StaticString] = [
      "from", "import", "require", "include", "href", "src", "path", "extends", "cd", "url",
    ]
    return words.contains { word in
      let count = word.utf8CodeUnitCount
      return at >= count
        && (0..<count).allSatisfy { reader.past(at - count + $0).lowercased == word.utf8Start[$0] }
        && !reader.past(at - count - 1).isLetter
    }
  }
}
