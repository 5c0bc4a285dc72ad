// SPDX-License-Identifier: Apache-2.0
import Foundation
import TestSupport

/// The stock Lua 5.4 on this machine, where there is one: `scripts/setup.sh lua` brings it.
enum StockCompiler {
  /// Under no other name: a plain `lua` may be of another version.
  private static let path = ["/usr/bin/lua5.4", "/usr/local/bin/lua5.4"].first {
    FileManager.default.isExecutableFile(atPath: $0)
  }

  /// CI has to have it.
  static var isInstalled: Bool { path != nil || ProcessInfo.processInfo.environment["CI"] != nil }

  /// Asks which chunks compile; `nil` for one that does, else what the compiler says.
  static func errors(of chunks: [[UInt8]]) async throws -> [String?] {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("lint-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let input = folder.appendingPathComponent("chunks")
    let output = folder.appendingPathComponent("answers")
    let driver = folder.appendingPathComponent("driver.lua")
    try Data(chunks.flatMap { Array("\($0.count)\n".utf8) + $0 }).write(to: input)
    try Data(Self.driver.utf8).write(to: driver)
    let process = try ChildProcess(path ?? "", [driver.path, input.path, output.path], environment: [:])
    _ = await process.end()
    let answers = try String(decoding: Data(contentsOf: output), as: UTF8.self)
    return answers.split(separator: "\n").map { $0 == "ok" ? nil : String($0) }
  }

  private static let driver = #"""
    local input, output = assert(io.open(arg[1], "rb")), assert(io.open(arg[2], "wb"))
    for size in function() return input:read("n", 1) end do
      local chunk = size == 0 and "" or input:read(size) or ""
      -- load() does not skip the mark and the first line that the loader of files skips.
      chunk = chunk:gsub("^\xEF\xBB\xBF", ""):gsub("^#[^\r\n]*", "")
      local ok, message = load(chunk, "=chunk", "t")
      output:write(ok and "ok" or message:gsub("[\r\n]", " "), "\n")
    end
    output:close()
    """#
}
