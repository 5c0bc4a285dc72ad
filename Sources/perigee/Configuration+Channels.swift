// SPDX-License-Identifier: Apache-2.0
import Server
import Settings

/// A messenger of the configuration: what it takes to be on, or what is missing.
struct ConfiguredChannel: Sendable {
  let name: String
  /// `nil` = it is off.
  let channel: (any MessageChannel)?
  /// Variables and files in which nothing was found that it takes.
  let missing: [String]

  /// Why it is off, in words.
  var reason: String { "\(missing.joined(separator: " and ")) not set" }
}

extension Configuration {
  /// - Throws: ``ConfigurationError`` for a secret's file that cannot be read.
  func channels(environment: [String: String]) throws(ConfigurationError) -> [ConfiguredChannel] {
    let (whatsapp, telegram) = (channels.whatsapp, channels.telegram)
    func secret(_ env: String?, _ file: String?) throws(ConfigurationError) -> Secret? {
      try Configuration.secret(env: env, file: file, environment: environment)
    }
    let authToken = try secret(whatsapp.authTokenEnv, whatsapp.authTokenFile)
    let account = try secret(whatsapp.accountSIDEnv, nil)
    let token = try secret(telegram.tokenEnv, telegram.tokenFile)
    let shown = try secret(telegram.secretEnv, telegram.secretFile)
    var missing: [String] = []
    if token == nil { missing.append(telegram.tokenEnv ?? "channels.telegram.token_env") }
    if shown == nil { missing.append(telegram.secretEnv ?? "channels.telegram.secret_env") }
    return [
      ConfiguredChannel(
        name: "whatsapp",
        channel: authToken.map {
          WhatsAppChannel(
            authToken: $0.reveal(), accountSID: account?.reveal(), number: whatsapp.number,
            lateAnswer: whatsapp.lateAnswer, apiURL: whatsapp.apiURL)
        },
        missing: authToken == nil ? [whatsapp.authTokenEnv ?? "channels.whatsapp.auth_token_env"] : []),
      ConfiguredChannel(
        name: "telegram",
        channel: token.flatMap { token in
          shown.map {
            TelegramChannel(
              token: token.reveal(), secret: $0.reveal(), lateAnswer: telegram.lateAnswer,
              apiURL: telegram.apiURL)
          }
        }, missing: missing),
    ]
  }

  /// Whether something in it asks for a messenger: a route, or a key of its own.
  func asks(for channel: String) -> Bool {
    routes.contains { $0.shape.rawValue == channel }
      || sources.contains { $0.key.hasPrefix("channels.\(channel).") && $0.value != .default }
  }
}

extension Channels.Texts {
  init(_ texts: Configuration.Channels.Texts) {
    self.init(failed: texts.failed, waiting: texts.waiting, empty: texts.empty)
  }
}
