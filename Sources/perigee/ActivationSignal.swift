// SPDX-License-Identifier: Apache-2.0
import Core
import FoundationEssentials

/// The file by which a command tells a server on the same data folder that another version was activated.
///
/// It has a folder of its own, because a server that watched its database's would hear of every write.
enum ActivationSignal {
  static let name = "activation"

  static func folder(in directory: String) -> String { directory + "/signals" }

  /// Makes the folder, so that a server can watch it.
  static func prepare(_ directory: String) throws {
    do {
      try FileManager.default.createDirectory(
        atPath: folder(in: directory), withIntermediateDirectories: true,
        attributes: [.posixPermissions: 0o700])
    } catch {
      throw CommandError(
        message: "\(folder(in: directory)) cannot be made", hint: "check that the folder is yours")
    }
  }

  static func send(_ directory: String, at time: Timestamp) throws {
    try prepare(directory)
    let path = "\(folder(in: directory))/\(name)"
    do {
      try Data(time.description.utf8).write(to: URL(filePath: path))
    } catch {
      throw CommandError(
        message: "\(path) cannot be written: a running server does not notice",
        hint: "send it SIGHUP, or restart it", status: .bad)
    }
  }
}

extension String {
  /// A version as people tell it from another.
  var shortVersion: String {
    String((hasPrefix("sha256:") ? dropFirst("sha256:".count) : self[...]).prefix(12))
  }
}
