// SPDX-License-Identifier: Apache-2.0
import Core
import HTTPTypes
import JSONCodec

extension Services {
  private static let activation = BodyShape(fields: [
    .init(
      name: "canary_percent", kind: .integer(1...99), isRequired: false,
      description: "Share of sessions that run it, the others go on with what is in force; absent = all.",
      example: 10)
  ])

  var versionRoutes: [Route] {
    [
      Route(
        .get, "/v1/versions", name: "listVersions",
        summary: "Lists the versions of the scripts that are kept, the latest first.", list: .versions,
        answers: [.init(.ok, "A page.", .json("VersionList"))]
      ) { exchange in
        try exchange.user.mayOperate()
        let deployment = scripts.deployment
        let page = try await store.versions(page: try exchange.page())
        return .document(page.map { VersionDocument($0, in: deployment) })
      },
      Route(
        .get, "/v1/versions/current", name: "getCurrentVersion",
        summary:
          "Tells which version is in force and what is wrong with the last edit; as events, as it changes.",
        answers: [
          .init(
            .ok, "What holds now; as events, that and all that follows.", .json("CurrentVersion"),
            .events("VersionEvent"))
        ]
      ) { exchange in
        try exchange.user.mayOperate()
        guard exchange.wantsEvents else { return .document(CurrentVersion(scripts)) }
        return .stream(VersionEvents(scripts: scripts, exchange: exchange).write)
      },
      Route(
        .get, "/v1/versions/{version}", name: "getVersion", summary: "Shows a version with its sources.",
        answers: [.init(.ok, "The version.", .json("VersionWithFiles"))], fails: [.conflict]
      ) { exchange in
        try exchange.user.mayOperate()
        let version = try await store.version(named: exchange.parameters[0])
        var document = VersionDocument(version, in: scripts.deployment)
        document.sources = try await store.sources(ofVersion: version.id)
        return .document(document)
      },
      Route(
        .get, "/v1/versions/{a}/diff/{b}", name: "diffVersions",
        summary: "Shows what changed from one version to another.",
        answers: [.init(.ok, "The difference, by file.", .json("VersionDiff"))], fails: [.conflict]
      ) { exchange in
        try exchange.user.mayOperate()
        let old = try await store.version(named: exchange.parameters[0]).id
        let new = try await store.version(named: exchange.parameters[1]).id
        let diff = VersionDiff(
          from: try await store.sources(ofVersion: old), to: try await store.sources(ofVersion: new))
        return .document(VersionDiffDocument(old: old, new: new, diff: diff))
      },
      Route(
        .post, "/v1/versions/{version}/activate", name: "activateVersion",
        summary: "Brings a version into force until the workspace's folder changes.", body: Self.activation,
        answers: [.init(.ok, "The version, which new runs take.", .json("Version"))],
        fails: [.conflict, .unprocessableContent]
      ) { try await activate($0) },
    ]
  }

  private func activate(_ exchange: Exchange) async throws -> Reply {
    try exchange.user.mayOperate()
    let body = try await exchange.body(Self.activation)
    let version = try await store.version(named: exchange.parameters[0])
    do {
      try await scripts.activate(
        version.id, canaryPercent: body["canary_percent"]?.integer.map { Int($0) },
        by: exchange.user.actor)
    } catch let refused as ScriptsRefused {
      throw Problem.versionRefused(version.id, refused)
    }
    return .document(VersionDocument(version, in: scripts.deployment))
  }
}

extension Principal {
  /// - Throws: ``Failure`` `denied` for who may not see and change how the server works.
  fileprivate func mayOperate() throws(Failure) {
    try mayRunHost("the versions of the scripts are")
  }
}

extension Problem {
  fileprivate static func versionRefused(_ version: String, _ refused: ScriptsRefused) -> Problem {
    Problem(
      status: .unprocessableContent, code: "version_refused",
      detail: "\(version) does not load; what was in force stays",
      faults: refused.problems.map { problem in
        Fault(field: "\(problem.file):\(problem.line):\(problem.column)", message: problem.message)
      })
  }
}
