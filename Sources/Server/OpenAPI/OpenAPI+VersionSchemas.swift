// SPDX-License-Identifier: Apache-2.0
import Core
import JSONCodec

extension OpenAPI {
  static let versionSchemas: JSON = [
    "Version": object(version),
    "VersionList": page("Version"),
    "VersionWithFiles": object(
      version + [
        ("files", ["type": "array", "items": object([("path", string), ("source", string)])])
      ]),
    "CurrentVersion": object([
      ("version", string),
      (
        "candidate",
        ["oneOf": [object([("version", string), ("canary_percent", integer)]), ["type": "null"]]]
      ), ("problems", list("ScriptProblem")),
    ]),
    "VersionDiff": object([
      ("from", string), ("to", string),
      (
        "files",
        [
          "type": "array",
          "items": object([
            ("path", string),
            ("change", ["enum": .array(VersionDiff.Change.allCases.map { .string($0.rawValue) })]),
            ("diff", ["type": "string", "description": "Unified, ready for patch."]),
          ]),
        ]
      ),
    ]),
  ]

  private static let version: [(String, JSON)] = [
    ("version", string), ("loaded_at", time), ("file_count", integer),
    (
      "changed_count",
      ["type": "integer", "description": "Files that are not as in the version that was loaded before it."]
    ),
    (
      "state",
      ["enum": .array(Deployment.Track.allCases.map { .string($0.rawValue) } + [.null])]
    ),
    ("canary_percent", orNull("integer")),
    (
      "runs",
      object([
        ("count", integer), ("failed", integer), ("error_rate", number), ("usage", reference("Usage")),
        ("p50_ms", orNull("integer")),
      ])
    ),
  ]
}
