// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Core
import FoundationEssentials
import HostModules
import Logging
import Models
import Settings

/// What every command that runs agents takes to record what models answer, and to play it back.
struct CassetteOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Records what models answer at the end of a file; a bare name is NAME.jsonl in cassettes/ of the data folder.",
      valueName: "file"))
  var record: String?

  @Option(
    help: ArgumentHelp("Plays back what was recorded; no model is asked, no key needed.", valueName: "file"))
  var cassette: String?

  func validate() throws {
    if record != nil, cassette != nil {
      throw ValidationError("--record and --cassette exclude each other: record first, then play back")
    }
    if record?.isEmpty ?? cassette?.isEmpty ?? false {
      throw ValidationError("\(record == nil ? "--cassette" : "--record") is empty: name a file")
    }
  }

  /// The model that runs ask: the client's own, with a recorder before it, or a cassette in its place.
  ///
  /// - Parameter directory: The data folder.
  func model(
    _ client: ModelClient, _ normalization: RequestNormalization, directory: String, logger: Logger
  ) throws -> any Model {
    do {
      if let record {
        let path = path(record, directory)
        if path != record {
          try FileManager.default.createDirectory(
            atPath: directory + "/cassettes", withIntermediateDirectories: true,
            attributes: [.posixPermissions: 0o700])
        }
        return try RecordingModel(client, to: path, normalization: normalization)
      }
      guard let cassette else { return client }
      let path = path(cassette, directory)
      let recorded = try Cassette.load(path)
      logger.notice("models are played back", metadata: ["cassette": "\(path)"])
      return PlaybackModel(recorded, of: client, normalization: normalization)
    } catch let error as CassetteError {
      throw CommandError(message: error.message, hint: error.hint)
    }
  }

  /// A name without folder and ending stands in the data folder.
  private func path(_ text: String, _ directory: String) -> String {
    text.contains("/") || text.hasSuffix(".jsonl") ? text : "\(directory)/cassettes/\(text).jsonl"
  }
}

extension RequestNormalization {
  /// Blots every secret that the configuration names, and what looks like personal data.
  init(_ configuration: Configuration, _ models: ModelClient.Configuration, environment: [String: String]) {
    self.init(
      defaultModel: models.defaultModel, temperature: models.temperature, tokensMax: models.tokensMax,
      secrets: configuration.secrets(models, environment: environment))
  }
}

extension Configuration {
  /// The values of all secrets that it names.
  func secrets(_ models: ModelClient.Configuration, environment: [String: String]) -> [String] {
    let named: [(env: String?, file: String?)] =
      scripts.secrets.values.map { ($0.env, nil) }
      + events.webhooks.values.map { ($0.secretEnv, $0.secretFile) }
      + [
        (auth.jwt.secretEnv, auth.jwt.secretFile),
        (channels.whatsapp.authTokenEnv, channels.whatsapp.authTokenFile),
        (channels.telegram.tokenEnv, channels.telegram.tokenFile),
        (channels.telegram.secretEnv, channels.telegram.secretFile),
      ]
    let secrets = named.compactMap { name in
      // What cannot be read cannot get anywhere.
      (try? Configuration.secret(env: name.env, file: name.file, environment: environment))?.reveal()
    }
    let keys = models.providers.compactMap(\.apiKey)
    let headers = models.providers.flatMap { $0.headers.map(\.value) }
    return secrets + keys + headers
  }
}
