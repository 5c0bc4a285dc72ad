// swift-tools-version:6.2
import PackageDescription

let swift: [SwiftSetting] = [
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("MemberImportVisibility"),
  .enableUpcomingFeature("InternalImportsByDefault"),
  .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
  .treatAllWarnings(as: .error),
]
/// `make sanitize` sets it: undefined behaviour in our C then ends the process.
let trapsUndefined = Context.environment["PERIGEE_TRAP_UNDEFINED"] != nil
let c: [CSetting] = [
  .unsafeFlags(
    ["-Wall", "-Wextra", "-Werror"]
      + (trapsUndefined ? ["-fsanitize=undefined", "-fsanitize-trap=undefined"] : []))
]

let logging = Target.Dependency.product(name: "Logging", package: "swift-log")
let metrics = Target.Dependency.product(name: "Metrics", package: "swift-metrics")

let lifecycle = Target.Dependency.product(name: "ServiceLifecycle", package: "swift-service-lifecycle")

let deque = Target.Dependency.product(name: "DequeModule", package: "swift-collections")

/// One target per room; an arrow may only point to a room listed further down.
func room(
  _ name: String, _ dependencies: [Target.Dependency], resources: [Resource] = []
) -> Target {
  .target(name: name, dependencies: dependencies, resources: resources, swiftSettings: swift)
}

func tests(
  _ name: String, _ dependencies: [Target.Dependency], exclude: [String] = [], resources: [Resource] = []
) -> Target {
  .testTarget(
    name: name, dependencies: dependencies, exclude: exclude, resources: resources, swiftSettings: swift)
}

let package = Package(
  name: "perigee",
  platforms: [.macOS(.v15)],
  products: [.executable(name: "perigee", targets: ["perigee"])],
  dependencies: [
    .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1", traits: []),
    .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
    .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
    .package(url: "https://github.com/apple/swift-metrics", from: "2.13.0"),
    .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
    .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.6"),
    .package(url: "https://github.com/apple/swift-nio-extras", from: "1.35.2"),
    .package(url: "https://github.com/apple/swift-http-types", from: "1.8.0"),
    .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
    .package(url: "https://github.com/apple/swift-collections", from: "1.6.0"),
    .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
    .package(url: "https://github.com/vapor/jwt-kit", from: "5.7.1"),
    .package(url: "https://github.com/apple/swift-certificates", from: "1.21.1"),
    .package(url: "https://github.com/apple/swift-asn1", from: "1.7.4"),
  ],
  targets: [
    .executableTarget(
      name: "perigee",
      dependencies: [
        "Server", "Settings", "LanguageServer", "Workspace", "Evals", "Lint", "HostModules", "Models",
        "Storage", "Identity", "Transport",
        "Core", "Guardrails", "Telemetry", "Threads", "JSONCodec", logging, metrics,
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
        lifecycle,
        .product(name: "Crypto", package: "swift-crypto"),
        .product(name: "UnixSignals", package: "swift-service-lifecycle"),
      ],
      swiftSettings: swift,
      // Sanitizers and debuggers have allocators of their own.
      linkerSettings: [.linkedLibrary("jemalloc", .when(platforms: [.linux], configuration: .release))]),
    room(
      "Server",
      [
        "Identity", "Core", "Telemetry", "JSONCodec", logging, metrics, lifecycle,
        .product(name: "Hummingbird", package: "hummingbird"),
        .product(name: "HummingbirdCore", package: "hummingbird"),
        .product(name: "HTTPTypes", package: "swift-http-types"),
        .product(name: "Crypto", package: "swift-crypto"),
        .product(name: "NIOCore", package: "swift-nio"),
        .product(name: "NIOWebSocket", package: "swift-nio"),
        .product(name: "NIOSSL", package: "swift-nio-ssl"),
        .product(name: "NIOHTTPTypes", package: "swift-nio-extras"),
      ],
      resources: ["pages.css", "pages.js", "page.html", "console.html", "docs.html"].map {
        .embedInCode("Page/\($0)")
      }),
    room("Settings", ["Identity", "Core", .product(name: "Yams", package: "Yams")]),
    room(
      "Workspace",
      [
        "Evals", "Lint", "HostModules", "LuaHost", "Core", "Threads", "JSONCodec", logging,
        .product(name: "Crypto", package: "swift-crypto"),
      ]),
    room("LanguageServer", ["Lint", "Core", "JSONCodec", deque]),
    room("Evals", ["Core", "JSONCodec"]),
    room("Lint", ["Evals", "Core", "Guardrails", "JSONCodec"]),
    room(
      "HostModules",
      [
        "LuaHost", "Transport", "Core", "Guardrails", "Telemetry", "JSONCodec", logging,
        .product(name: "Crypto", package: "swift-crypto"),
      ]),
    room(
      "Models",
      [
        "Transport", "Core", "Guardrails", "Telemetry", "Threads", "JSONCodec", logging, metrics,
        .product(name: "Crypto", package: "swift-crypto"),
      ]),
    room(
      "Storage",
      [
        "Identity", "Core", "Telemetry", "Threads", "JSONCodec", "CSQLite",
        .product(name: "GRDB", package: "GRDB.swift"),
        .product(name: "GRDBSQLite", package: "GRDB.swift"),
        .product(name: "Crypto", package: "swift-crypto"),
      ]),
    room(
      "Identity",
      [
        "Core", "JSONCodec", .product(name: "JWTKit", package: "jwt-kit"),
        .product(name: "Crypto", package: "swift-crypto"),
      ]),
    room("Transport", ["CCurl"]),
    room("Core", ["Guardrails", "Telemetry", "JSONCodec"]),
    room("Guardrails", []),
    room("Telemetry", ["JSONCodec"]),
    room("LuaHost", ["CLuaHost", "Threads", "JSONCodec", deque]),
    room("Threads", ["CThreads", deque]),
    room("JSONCodec", []),
    room("TestSupport", ["JSONCodec"]),
    .target(name: "CSimulation", path: "Tests/Simulation/CSimulation"),
    .executableTarget(
      name: "simulation",
      dependencies: [
        "CSimulation", "Workspace", "HostModules", "Storage", "Transport", "Core", "JSONCodec", logging,
      ],
      path: "Tests/Simulation/Simulation", swiftSettings: swift),
    .executableTarget(
      name: "turncost",
      dependencies: [
        "Server", "Storage", "Core", metrics, .product(name: "HTTPTypes", package: "swift-http-types"),
      ],
      path: "Benchmarks/TurnCost", swiftSettings: swift),
    .target(name: "CLuaHost", dependencies: ["CLua"], cSettings: c),
    .target(name: "CThreads", cSettings: c),
    .target(name: "CSQLite", cSettings: c),
    .systemLibrary(name: "CLua", pkgConfig: "lua5.4", providers: [.apt(["liblua5.4-dev"])]),
    .systemLibrary(name: "CCurl", pkgConfig: "libcurl", providers: [.apt(["libcurl4-openssl-dev"])]),
    tests("JSONCodecTests", ["JSONCodec", "TestSupport"]),
    tests("CoreTests", ["Core", "Guardrails", "JSONCodec", "TestSupport"]),
    tests("GuardrailsTests", ["Guardrails", "TestSupport"]),
    tests("TelemetryTests", ["Telemetry", "JSONCodec", "TestSupport"], exclude: ["decode_request.py"]),
    tests("LuaHostTests", ["LuaHost", "CLuaHost", "JSONCodec"]),
    tests("ThreadsTests", ["Threads", "TestSupport"]),
    tests("EvalsTests", ["Evals", "Core", "JSONCodec"]),
    tests("LintTests", ["Lint", "Workspace", "HostModules", "Core", "JSONCodec", "TestSupport"]),
    tests("LanguageServerTests", ["LanguageServer", "Workspace", "Lint", "JSONCodec"]),
    tests("SettingsTests", ["Settings", "Identity"]),
    tests(
      "IdentityTests",
      [
        "Identity", "Core", "JSONCodec", "TestSupport", .product(name: "JWTKit", package: "jwt-kit"),
        .product(name: "Crypto", package: "swift-crypto"),
        .product(name: "CryptoExtras", package: "swift-crypto"),
        .product(name: "X509", package: "swift-certificates"),
        .product(name: "SwiftASN1", package: "swift-asn1"),
      ]),
    tests("TransportTests", ["Transport", "TestSupport", "JSONCodec"]),
    tests("ModelsTests", ["Models", "Transport", "Core", "JSONCodec", "TestSupport", logging]),
    tests("StorageTests", ["Storage", "Identity", "Core", "Telemetry", "JSONCodec", "TestSupport"]),
    tests(
      "HostModulesTests",
      [
        "HostModules", "Workspace", "Storage", "Models", "Transport", "Core", "JSONCodec", "TestSupport",
        logging,
      ]),
    tests(
      "WorkspaceTests",
      [
        "Workspace", "Evals", "HostModules", "Storage", "Transport", "Lint", "Core", "JSONCodec",
        "TestSupport",
        logging,
      ]),
    tests(
      "ServerTests",
      [
        "Server", "Storage", "Identity", "Core", "Telemetry", "JSONCodec", logging, metrics, lifecycle,
        .product(name: "Crypto", package: "swift-crypto"),
        .product(name: "NIOCore", package: "swift-nio"),
        .product(name: "NIOEmbedded", package: "swift-nio"),
        .product(name: "NIOPosix", package: "swift-nio"),
        .product(name: "HTTPTypes", package: "swift-http-types"),
      ]),
    tests(
      "CLITests",
      [
        "perigee", "Transport", "Core", "TestSupport", "JSONCodec",
        .product(name: "Crypto", package: "swift-crypto"),
        .product(name: "GRDB", package: "GRDB.swift"),
      ],
      exclude: ["escape", "help", "lsp", "metrics", "openai", "channels", "otlp", "page", "tls"]),
  ],
  swiftLanguageModes: [.v6]
)
