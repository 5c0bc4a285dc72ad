// SPDX-License-Identifier: Apache-2.0
import Core
import Logging

/// What the routes work with.
struct Services: Sendable {
  let runner: Runner
  let store: any Store
  let model: any Model
  let time: any TimeSource
  let metrics: ServerMetrics
  let scripts: any ScriptVersions
  let limits: RequestLimits
  let aliases: [Alias]
  /// `nil` = there are none.
  let channels: Channels?
  let isEncrypted: Bool
  let isStoreReady: Recent<Bool>
  let jobCounts: Recent<JobCounts?>
  let machine: @Sendable () -> MachineRoom
  let logger: Logger

  /// The version of the scripts that is in force.
  func host() -> any ScriptHost { scripts.deployment.active }

  /// Every route but the OpenAPI document, which is made of them.
  var routes: [Route] { ownRoutes + aliasRoutes }

  /// Those that are there whatever the configuration says.
  var ownRoutes: [Route] {
    chatRoutes + socketRoutes + agentRoutes + versionRoutes + sessionRoutes + runRoutes
      + feedbackRoutes + approvalRoutes + deadLetterRoutes + scheduleRoutes + eventRoutes + auditRoutes
      + userRoutes
      + openAIRoutes
      + embeddingRoutes + channelRoutes
      + operationRoutes + pageRoutes
  }
}
