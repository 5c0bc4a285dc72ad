// SPDX-License-Identifier: Apache-2.0
import Core
import Glibc
import Storage
import Transport
import Workspace

extension Examination {
  func versions() -> [Finding] {
    let versions = [
      "Perigee \(Perigee.version)", "SQLite \(DatabaseCondition.sqliteVersion)", ScriptBundle.luaVersion,
      HTTPClient.libraryVersion,
    ]
    return [.ok("versions", versions.joined(separator: ", "))]
  }

  /// A clock that is behind what was written puts new events before old ones, and makes tokens valid that are not.
  func clock(_ lastWrittenAt: Timestamp?) -> Finding {
    let now = SystemTime().now
    // Before this program was written it cannot be.
    if now < Timestamp(milliseconds: 1_767_225_600_000) {
      return .error("clock", "it says \(now)", hint: "set it by NTP")
    }
    if let last = lastWrittenAt, now + .seconds(300) < last {
      return .warning(
        "clock", "it says \(now), but the audit trail goes on until \(last)", hint: "set it by NTP")
    }
    return .ok("clock", "\(now)")
  }

  private static let openFilesWanted: rlim_t = 4096

  /// The server raises the soft limit to the hard one by itself.
  func openFiles() -> Finding {
    var limit = rlimit()
    guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else {
      return .warning("open files", "the system does not tell the limit", hint: "look yourself: ulimit -Hn")
    }
    let text = "up to \(limit.rlim_max)"
    return limit.rlim_max >= Self.openFilesWanted
      ? .ok("open files", text)
      : .warning(
        "open files", "\(text): each conversation that waits holds two",
        hint: "raise the hard limit (LimitNOFILE= of a systemd unit, ulimit -Hn)")
  }
}
