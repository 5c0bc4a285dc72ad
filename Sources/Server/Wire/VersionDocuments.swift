// SPDX-License-Identifier: Apache-2.0
public import Core
public import JSONCodec

extension Page<VersionRecord> {
  /// The list as `GET /v1/versions` writes it.
  public func json(_ deployment: DeploymentRecord?) -> RawJSON {
    RawJSON(trusted: map { VersionDocument($0, in: deployment) }.bytes())
  }
}

extension VersionDiff {
  /// The difference as the HTTP API writes it.
  public func json(from old: String, to new: String) -> RawJSON {
    RawJSON(trusted: VersionDiffDocument(old: old, new: new, diff: self).bytes())
  }
}

/// A version with what it is to the deployment, and its sources where they are asked for.
struct VersionDocument: Document {
  let version: VersionRecord
  let track: Deployment.Track?
  /// Of the candidate.
  let canaryPercent: Int?
  var sources: [String: [UInt8]]?

  init(_ version: VersionRecord, in deployment: Deployment) {
    self.version = version
    track = deployment.track(of: version.id)
    canaryPercent = deployment.candidate?.percent
  }

  init(_ version: VersionRecord, in record: DeploymentRecord?) {
    self.version = version
    track =
      version.id == record?.version ? .active : version.id == record?.candidate?.version ? .candidate : nil
    canaryPercent = record?.candidate?.percent
  }

  func write(to writer: inout JSONWriter) {
    let runs = version.runs
    writer.object {
      $0.member("version", version.id)
      $0.member("loaded_at", version.loadedAt.description)
      $0.member("file_count", version.fileCount)
      $0.member("changed_count", version.changedCount)
      $0.member("state", track.map { .string($0.rawValue) } ?? JSON.null)
      $0.member(
        "canary_percent",
        track == .candidate ? canaryPercent.map { .integer(Int64($0)) } ?? .null : JSON.null)
      $0.key("runs")
      $0.object {
        $0.member("count", runs.count)
        $0.member("failed", runs.failed)
        $0.member("error_rate", (runs.errorRate * 10_000).rounded() / 10_000)
        $0.member("usage", runs.usage)
        $0.member("p50_ms", runs.medianMilliseconds.map { .integer(Int64($0)) } ?? JSON.null)
      }
      guard let sources else { return }
      $0.key("files")
      $0.array { list in
        for (path, bytes) in sources.sorted(by: { $0.key < $1.key }) {
          list.object {
            $0.member("path", path)
            $0.member("source", String(decoding: bytes, as: UTF8.self))
          }
        }
      }
    }
  }
}

struct VersionDiffDocument: Document {
  let old: String
  let new: String
  let diff: VersionDiff

  func write(to writer: inout JSONWriter) {
    writer.object {
      $0.member("from", old)
      $0.member("to", new)
      $0.key("files")
      $0.array { list in
        for file in diff.files {
          list.object {
            $0.member("path", file.path)
            $0.member("change", file.change.rawValue)
            $0.member("diff", file.text)
          }
        }
      }
    }
  }
}
