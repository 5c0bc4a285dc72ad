// SPDX-License-Identifier: Apache-2.0
public import Core
import JSONCodec

extension Workspace.Role {
  /// What should be in force.
  ///
  /// - Parameters:
  ///   - folder: The version that the folder is now.
  ///   - record: What the store says.
  ///   - known: What this process found or decided last; `nil` = it has just begun.
  func plan(
    for folder: String, _ record: DeploymentRecord?, known: DeploymentRecord?, at time: Timestamp
  ) -> DeploymentRecord {
    let whole = DeploymentRecord(version: folder, folder: folder, at: time)
    guard var record else { return whole }
    // The folder is what it was when this was decided.
    if record.folder == folder { return record }
    if let known, record != known, known.folder == folder {
      // Decided beside another folder, for this database, and here nothing has changed.
      record.folder = folder
      return record
    }
    guard case .server(let percent) = self, (1...99).contains(percent), record.version != folder else {
      return whole
    }
    return DeploymentRecord(
      version: record.version, candidate: .init(version: folder, percent: percent), folder: folder, at: time)
  }
}

extension DeploymentRecord {
  /// The decision that follows this one when somebody activates a version.
  ///
  /// - Throws: ``Failure`` `invalid_arguments` for a share that is none, `conflict` for a version that is in force.
  public func activating(
    _ version: String, canaryPercent: Int?, folder: String, at time: Timestamp
  ) throws(Failure) -> DeploymentRecord {
    guard let canaryPercent else { return DeploymentRecord(version: version, folder: folder, at: time) }
    guard (1...99).contains(canaryPercent) else {
      throw Failure(
        .invalidArguments, "canary_percent must be 1 to 99",
        detail: [["field": "canary_percent", "message": "must be 1 to 99"]])
    }
    guard version != self.version else {
      throw Failure(.conflict, "\(version) is in force already; a candidate is another version")
    }
    return DeploymentRecord(
      version: self.version, candidate: .init(version: version, percent: canaryPercent), folder: folder,
      at: time)
  }
}

extension ScriptsRefused {
  /// What went wrong when scripts were loaded, as their author sees it.
  public init(_ error: any Error) {
    switch error {
    case let error as ScriptsRefused: self = error
    case let error as WorkspaceError: self.init(problems: error.problems)
    default:
      let failure = Failure(error)
      // A refused schema names its file first.
      let file = failure.message.prefix { $0 != ":" }
      self.init(
        problems: [
          ScriptProblem(
            file: file.hasSuffix(".lua") ? String(file) : "", line: 1, column: 1, severity: "error",
            code: "W102", message: failure.message, hint: nil, text: "error: \(failure.message) [W102]")
        ])
    }
  }
}
