// SPDX-License-Identifier: Apache-2.0
import Core

/// What the routes work with.
struct Services: Sendable {
  let runner: Runner
  let store: any Store
  let model: any Model
  let time: any TimeSource
  let metrics: ServerMetrics
  /// The current version of the scripts.
  let host: @Sendable () -> any ScriptHost

  /// Every route but the OpenAPI document, which is made of them.
  var routes: [Route] {
    chatRoutes + socketRoutes + agentRoutes + sessionRoutes + runRoutes + openAIRoutes + embeddingRoutes
      + operationRoutes
  }
}
