// SPDX-License-Identifier: Apache-2.0
import Core
import Glibc
import JSONCodec
import Logging
import Settings

/// Log lines on standard error: text for people, JSON for machines.
struct LogOutput: LogHandler {
  var metadata: Logger.Metadata = [:]
  var metadataProvider: Logger.MetadataProvider?
  var logLevel: Logger.Level
  private let isJSON: Bool

  init(level: Logger.Level, isJSON: Bool) {
    logLevel = level
    self.isJSON = isJSON
  }

  subscript(metadataKey key: String) -> Logger.Metadata.Value? {
    get { metadata[key] }
    set { metadata[key] = newValue }
  }

  func log(event: LogEvent) {
    let all = metadata.merging(event.metadata ?? [:]) { _, new in new }.sorted { $0.key < $1.key }
    let time = SystemTime().now.description
    if isJSON {
      var writer = JSONWriter(reservingCapacity: 256)
      writer.object {
        $0.member("time", time)
        $0.member("level", event.level.rawValue)
        $0.member("message", event.message.description.cut)
        for (key, value) in all {
          if case .stringConvertible(let part) = value, let json = part as? RawJSON {
            $0.member(named: key, json)
          } else {
            $0.member(named: key, "\(value)".cut)
          }
        }
      }
      Console.note(writer.raw.text)
    } else {
      let fields = all.map { " \($0.key)=\("\($0.value)".cut.printable)" }.joined()
      Console.note(
        "\(time) \(event.level.rawValue.uppercased()) \(event.message.description.cut.printable)", dim: fields
      )
    }
  }
}

extension String {
  /// No part of a line may grow without bound, whoever wrote it.
  private static let partBytesMax = 16 << 10

  fileprivate var cut: String {
    utf8.count <= Self.partBytesMax
      ? self : String(decoding: utf8.prefix(Self.partBytesMax), as: UTF8.self) + "…"
  }

  /// Without control characters, so that a script can forge neither lines nor a terminal's commands.
  fileprivate var printable: String {
    guard utf8.contains(where: { $0 < 0x20 && $0 != 0x0A || $0 == 0x7F }) || utf8.contains(0x0A) else {
      return self
    }
    return String(unicodeScalars.map { $0.value < 0x20 || $0.value == 0x7F ? " " : Character($0) })
  }
}

extension Logger {
  /// What the configuration asks for: JSON unless a terminal reads.
  static func server(_ log: Configuration.Log) -> Logger {
    let isJSON = log.isJSON
    let level = Logger.Level(rawValue: log.level.rawValue) ?? .info
    return Logger(label: "perigee") { _ in LogOutput(level: level, isJSON: isJSON) }
  }

  /// Commands speak for themselves: less is logged than by a server.
  static func command(_ level: Logger.Level) -> Logger {
    Logger(label: "perigee") { _ in LogOutput(level: level, isJSON: false) }
  }
}

extension Configuration.Log {
  /// Whether machines read the log.
  var isJSON: Bool {
    switch format {
    case .json: true
    case .text: false
    case .auto: isatty(STDERR_FILENO) == 0
    }
  }
}
