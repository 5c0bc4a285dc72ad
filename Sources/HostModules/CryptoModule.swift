// SPDX-License-Identifier: Apache-2.0
import Crypto
import LuaHost

extension HostModule {
  /// `crypto`: digests and random bytes.
  static let crypto = HostModule(
    "crypto", "Digests, message codes and random bytes, as lower-case hexadecimal text.",
    functions: [
      Function(
        "sha256", "Digests a string.", [Parameter("text", "string", "any bytes")], returns: "string",
        example: #"local key = crypto.sha256(args.url)"#,
        body: .answers(
          { arguments, _ in .string(Hexadecimal.text(SHA256.hash(data: try arguments.bytes(1)))) },
          named: "crypto.sha256")
      ),
      Function(
        "hmac", "Signs a string with HMAC-SHA256.",
        [Parameter("key", "string", "the secret"), Parameter("text", "string", "what is signed")],
        returns: "string",
        body: .answers(
          { arguments, _ in
            let key = SymmetricKey(data: try arguments.bytes(1))
            return .string(
              Hexadecimal.text(HMAC<SHA256>.authenticationCode(for: try arguments.bytes(2), using: key)))
          }, named: "crypto.hmac")),
      Function(
        "random", "Makes random bytes, fit for secrets.", [Parameter("count", "integer", "bytes, 1 to 1024")],
        returns: "string",
        body: .answers(
          { arguments, _ in
            let count = try arguments.integer(1)
            guard (1...1024).contains(count) else {
              throw arguments.fault(1, "1 to 1024 expected, got \(count)")
            }
            var generator = SystemRandomNumberGenerator()
            return .string(
              Hexadecimal.text((0..<count).map { _ in UInt8.random(in: 0...255, using: &generator) }))
          }, named: "crypto.random", recorded: true)),
    ])
}
