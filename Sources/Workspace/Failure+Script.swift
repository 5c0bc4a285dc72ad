// SPDX-License-Identifier: Apache-2.0
import Core
import HostModules
import JSONCodec
import LuaHost

extension Failure {
  /// What a caller may know of an agent whose script failed; the rest is for its author, in the diagnostic.
  init(_ error: ScriptError, of agent: String) {
    self = Failure(error, runtimeMessage: "the script of agent '\(agent)' failed")
  }

  /// The same, where a host call's complaint about the script is not passed off as one about the caller's request.
  init(_ error: ScriptError, in scope: ScriptScope) {
    let agent = scope.run.agent.name
    if let hostError = error.hostError, scope.isOwnFault(hostError.code, hostError.message) {
      self.init(
        .internal, "the script of agent '\(agent)' failed",
        diagnostic: "\(hostError)".cut(to: Failure.messageBytesMax) + "\n\(error.report)")
    } else {
      self.init(error, of: agent)
    }
  }

  /// What the model is told of a tool that failed: its own message, but no traceback.
  init(_ error: ScriptError, of tool: Tool) { self = Failure(error, runtimeMessage: error.message) }

  private init(_ error: ScriptError, runtimeMessage: String) {
    let diagnostic = error.report
    if let hostError = error.hostError {
      self.init(
        Code(rawValue: hostError.code.cut(to: Failure.codeBytesMax)),
        hostError.message.cut(to: Failure.messageBytesMax),
        retryable: hostError.retryable,
        detail: hostError.detail.flatMap { $0.bytes.count > Failure.detailBytesMax ? nil : try? $0.value() },
        // A message that was refused is an answer, not a fault.
        diagnostic: hostError.code == Code.rejected.rawValue ? nil : diagnostic)
      return
    }
    switch error.kind {
    case .timeLimit: self.init(.limit, "the script used more than its processor time", diagnostic: diagnostic)
    case .memoryLimit: self.init(.limit, "the script used more than its memory", diagnostic: diagnostic)
    default: self.init(.internal, runtimeMessage, diagnostic: diagnostic)
    }
  }
}

extension Failure {
  /// What of a script's own error goes further; a detail that is larger is left out.
  fileprivate static let codeBytesMax = 64
  fileprivate static let messageBytesMax = 4000
  fileprivate static let detailBytesMax = 64 << 10
}

extension String {
  fileprivate func cut(to bytes: Int) -> String {
    utf8.count <= bytes ? self : String(decoding: utf8.prefix(bytes), as: UTF8.self) + "…"
  }
}

extension ScriptError {
  /// Everything, for the log.
  var report: String {
    let position = script.map { "\($0):\(line.map(String.init) ?? "?"): " } ?? ""
    return position + message + (traceback.map { "\n\($0)" } ?? "")
  }
}
