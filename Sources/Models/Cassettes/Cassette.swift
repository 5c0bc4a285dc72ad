// SPDX-License-Identifier: Apache-2.0
import FoundationEssentials

/// Recorded exchanges with models, from a file with one a line.
public struct Cassette: Sendable {
  public let path: String
  /// By line, from 1.
  let recordings: [(line: Int, recording: Recording)]

  /// Last part of the path, for messages.
  var name: String { path.split(separator: "/").last.map(String.init) ?? path }

  /// Reads the whole file.
  ///
  /// - Throws: ``CassetteError`` when there is none, or with the line that is damaged.
  public static func load(_ path: String) throws(CassetteError) -> Cassette {
    let bytes: [UInt8]
    do {
      bytes = Array(try Data(contentsOf: URL(filePath: path)))
    } catch {
      throw CassetteError(
        message: "there is no cassette '\(path)', or it cannot be read", hint: "make one: --record \(path)")
    }
    return try Cassette(path: path, bytes: bytes)
  }

  init(path: String, bytes: [UInt8]) throws(CassetteError) {
    self.path = path
    let newline = UInt8(ascii: "\n")
    var recordings: [(line: Int, recording: Recording)] = []
    for (index, line) in bytes.split(separator: newline, omittingEmptySubsequences: false).enumerated()
    where !line.isEmpty {
      do {
        recordings.append((index + 1, try Recording(line: line)))
      } catch {
        throw CassetteError(
          message: "\(path):\(index + 1): the line \(error.message)",
          hint: "take the line out, or record the cassette anew")
      }
    }
    self.recordings = recordings
    if let last = bytes.last, last != newline {
      throw CassetteError(
        message: "\(path):\(recordings.last?.line ?? 1): the line has no end",
        hint: "end it with a line break, or take it out")
    }
  }
}

/// Why a cassette cannot be used.
public struct CassetteError: Error, Sendable, CustomStringConvertible {
  public let message: String
  /// How to mend it.
  public let hint: String?

  public var description: String { message }
}
