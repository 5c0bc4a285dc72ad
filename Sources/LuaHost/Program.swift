// SPDX-License-Identifier: Apache-2.0
internal import CLuaHost

/// A compiled script, shared by every cell and run that uses it.
public struct Program: Sendable {
  public let name: String
  let code: Code

  /// Longest source that is compiled.
  public static let sourceBytesMax = 1 << 20

  /// Compiles a script; nothing of it runs.
  ///
  /// - Parameters:
  ///   - name: What error messages call the script, such as `agents/todo.lua`.
  ///   - source: Lua text; a byte order mark and a first line that starts with `#` are skipped.
  /// - Throws: ``ScriptError`` of kind `syntax`, or `memoryLimit` for a source that explodes in the compiler.
  public static func compile(name: String, source: [UInt8]) throws(ScriptError) -> Program {
    guard source.count <= sourceBytesMax else {
      throw ScriptError(.syntax, "the source is larger than \(sourceBytesMax) bytes", script: name)
    }
    guard source.first != 0x1B else {
      throw ScriptError(.syntax, "the source is bytecode; only text is compiled", script: name)
    }
    var output: UnsafeMutablePointer<CChar>?
    var length = 0
    let status = source.withUnsafeBytes { bytes in
      clh_compile(
        "@" + name, bytes.baseAddress?.assumingMemoryBound(to: CChar.self) ?? Self.empty, bytes.count,
        &output, &length)
    }
    guard let output, status != CLH_COMPILE_NO_MEMORY else {
      throw ScriptError(.memoryLimit, "the source needs too much memory to compile", script: name)
    }
    guard status == CLH_COMPILED else {
      defer { clh_free(output) }
      let bytes = UnsafeRawBufferPointer(start: output, count: length)
      throw ScriptError(syntax: String(decoding: bytes, as: UTF8.self), name: name)
    }
    return Program(name: name, code: Code(bytes: output, count: length))
  }

  // SAFETY: one NUL byte that is never written, for sources without storage.
  private nonisolated(unsafe) static let empty: UnsafePointer<CChar> = {
    let byte = UnsafeMutablePointer<CChar>.allocate(capacity: 1)
    byte.initialize(to: 0)
    return UnsafePointer(byte)
  }()

  /// Bytecode that cells read in place.
  // SAFETY: `bytes` is malloc memory that this object owns alone and that nobody writes after `init`.
  final class Code: @unchecked Sendable {
    let bytes: UnsafeMutablePointer<CChar>
    let count: Int

    init(bytes: UnsafeMutablePointer<CChar>, count: Int) {
      self.bytes = bytes
      self.count = count
    }

    deinit { clh_free(bytes) }
  }
}

extension ScriptError {
  /// Takes `name:line: ` off the front of the compiler's message.
  init(syntax text: String, name: String) {
    var message = text[...]
    // Lua keeps the end of a long name.
    let shown = name.utf8.count < 60 ? name : "..." + String(decoding: name.utf8.suffix(56), as: UTF8.self)
    var line: Int?
    if message.hasPrefix(shown + ":") {
      let rest = message.dropFirst(shown.count + 1)
      let digits = rest.prefix { $0.isNumber }
      if let number = Int(digits), rest.dropFirst(digits.count).hasPrefix(": ") {
        line = number
        message = rest.dropFirst(digits.count + 2)
      }
    }
    self.init(.syntax, String(message), script: name, line: line)
  }
}
