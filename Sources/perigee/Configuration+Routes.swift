// SPDX-License-Identifier: Apache-2.0
import Server
import Settings

extension Configuration {
  /// Addresses under which agents answer in other systems' shapes.
  ///
  /// - Throws: ``ConfigurationError`` that names every route that cannot be one.
  func aliases() throws -> [Alias] {
    var problems: [ConfigurationError.Problem] = []
    let aliases = routes.enumerated().compactMap { index, route -> Alias? in
      guard let shape = Alias.Shape(rawValue: route.shape.rawValue) else { return nil }
      do throws(ServerError) {
        return try Alias(
          path: route.path, agent: route.agent, shape: shape, messageCharactersMax: route.messageCharsMax)
      } catch {
        let key = "routes.\(index + 1).path"
        problems.append(
          .init(
            source: source(of: key), message: "\(key) is \(route.path): \(error.message)", hint: error.hint))
        return nil
      }
    }
    if !problems.isEmpty { throw ConfigurationError(problems: problems) }
    return aliases
  }

  /// - Throws: ``ConfigurationError`` for routes to agents that are not there.
  func checkRoutes(to agents: Set<String>) throws {
    let problems = routes.enumerated().compactMap { index, route -> ConfigurationError.Problem? in
      guard let agent = route.agent, !agents.contains(agent) else { return nil }
      let key = "routes.\(index + 1).agent"
      return .init(
        source: source(of: key), message: "\(key): there is no agent '\(agent)'",
        hint: "there are \(agents.sorted().joined(separator: ", "))")
    }
    if !problems.isEmpty { throw ConfigurationError(problems: problems) }
  }
}
