// SPDX-License-Identifier: Apache-2.0

extension Configuration {
  /// What the sections of `guardrails` ask for that no other key says.
  public struct Policies: Sendable, Hashable {
    /// Of a message and its input; `nil` = no limit.
    public var inputBytesMax: Int?
    /// Endings of the names that files may have, in lower case; `nil` = all.
    public var fileTypes: [String]?
    /// Of every run; `nil` = `scripts.run_seconds` and each agent's own.
    public var runTimeMax: Duration?
    public var blockedPorts: [Int] = []
    /// Personal data is removed from answers.
    public var removesPersonalData = false
    /// Secrets are masked in answers.
    public var masksSecrets = false
    /// Of an answer and its data; `nil` = no limit.
    public var outputBytesMax: Int?

    /// Keys of `guardrails` that are sections, and no lists of rules.
    public static let sections = ["input_validation", "execution_limits", "output_filtering", "compliance"]
  }

  /// The configuration with what the sections of `guardrails` say in force.
  ///
  /// A limit that another key sets as well is the smaller of the two; a setting is refused where the two differ.
  ///
  /// - Throws: ``ConfigurationError`` with everything that is wrong in the sections.
  public func withPolicies() throws(ConfigurationError) -> Configuration {
    let entries = guardrails.entries.filter { Policies.sections.contains($0.key) }
    if entries.isEmpty { return self }
    var (sections, reading) = (GuardSections(), Reading())
    reading.read(entries, GuardSections.keys, into: &sections, base: "guardrails")
    var configuration = self
    configuration.apply(sections, &reading)
    guard reading.problems.isEmpty else { throw ConfigurationError(problems: reading.problems) }
    return configuration
  }

  private mutating func apply(_ sections: GuardSections, _ reading: inout Reading) {
    adopt(sections.perMinute, \.limits.requestsPerMinute, "limits.requests_per_minute", "perMinute", &reading)
    adopt(sections.perHour, \.limits.requestsPerHour, "limits.requests_per_hour", "perHour", &reading)
    adopt(sections.retentionDays, \.retention.days, "retention.days", "retentionDays", &reading)
    adopt(sections.allowedDomains, \.http.allow, "http.allow", "allowedDomains", &reading)
    bound(
      \.scripts.memoryBytesMax, sections.memoryBytesMax, "scripts.memory_max", "max_memory_usage", reading)
    bound(\.scripts.runTime, sections.runTimeMax, "scripts.run_seconds", "max_execution_time", reading)
    let most = sections.cpuShare.map {
      Duration.milliseconds(max(1, Int(scripts.runTime.inSeconds * $0 * 1000)))
    }
    bound(\.scripts.cpuTime, most, "scripts.cpu_ms", "max_cpu_usage", reading)
    policies.inputBytesMax = sections.inputBytesMax
    policies.fileTypes = sections.fileTypes
    policies.runTimeMax = sections.runTimeMax
    policies.blockedPorts = sections.blockedPorts
    policies.removesPersonalData = sections.removesPersonalData
    policies.masksSecrets = sections.masksSecrets
    policies.outputBytesMax = sections.outputBytesMax
    checkTransit(sections, &reading)
  }

  /// Lets a limit be no more than `most`.
  private mutating func bound<Value: Comparable>(
    _ property: WritableKeyPath<Configuration, Value>, _ most: Value?, _ path: String, _ name: String,
    _ reading: Reading
  ) {
    guard let most, most < self[keyPath: property] else { return }
    self[keyPath: property] = most
    sources[path] = reading.sources["guardrails.execution_limits.\(name)"]
  }

  /// Takes a setting that has a key of its own.
  private mutating func adopt<Value: Equatable>(
    _ value: Value?, _ property: WritableKeyPath<Configuration, Value>, _ path: String, _ name: String,
    _ reading: inout Reading
  ) {
    let key = "guardrails.\(GuardSections.paths[name] ?? name)"
    guard let value, let place = reading.sources[key] else { return }
    if source(of: path) != .default, self[keyPath: property] != value {
      reading.refuse(
        place, "\(key) says otherwise than \(path) (\(source(of: path).label))", hint: "keep one of them")
      return
    }
    self[keyPath: property] = value
    sources[path] = place
  }

  private func checkTransit(_ sections: GuardSections, _ reading: inout Reading) {
    guard sections.encryptsTransit else { return }
    let key = "guardrails.compliance.encryption_in_transit"
    let place = reading.sources[key] ?? .default
    if server.tls.certificateFile != nil || server.publicURL?.hasPrefix("https://") == true { return }
    if let url = server.publicURL {
      reading.refuse(
        place, "\(key) is true, but server.public_url is \(url)", hint: "serve https://, or set server.tls")
    } else if !server.isLoopback {
      reading.refuse(
        place, "\(key) is true, but \(server.host) is served without TLS",
        hint: "set server.tls, or server.public_url to the https:// address of what ends TLS before it")
    }
  }
}

/// The sections of `guardrails` as they are written.
struct GuardSections: Sendable {
  var inputBytesMax: Int?
  var fileTypes: [String]?
  var contentFilters: [String] = []
  var perMinute: Int?
  var perHour: Int?
  var runTimeMax: Duration?
  var memoryBytesMax: Int?
  var cpuShare: Double?
  var allowedDomains: [String]?
  var blockedPorts: [Int] = []
  var removesPersonalData = false
  var masksSecrets = false
  var validatesFormat = true
  var outputBytesMax: Int?
  var retentionDays: Int?
  var auditLevel = ""
  var encryptsRest = ""
  var encryptsTransit = false

  /// Keys that stand for settings with a key of their own.
  static let paths = [
    "perMinute": "input_validation.rate_limits.requests_per_minute",
    "perHour": "input_validation.rate_limits.requests_per_hour",
    "retentionDays": "compliance.data_retention_days",
    "allowedDomains": "execution_limits.network_restrictions.allowed_domains",
  ]

  static let keys: [Key<GuardSections>] = [
    .value("input_validation.max_input_size", \.inputBytesMax, .optional(.size(1...(1 << 30))), ""),
    .value("input_validation.allowed_file_types", \.fileTypes, .optional(.list(.fileType)), ""),
    // Which rules there are is not known here.
    .value("input_validation.content_filters", \.contentFilters, .list(.text), ""),
    .value(
      "input_validation.rate_limits.requests_per_minute", \.perMinute, .optional(.integer(0...Int.max)), ""),
    .value("input_validation.rate_limits.requests_per_hour", \.perHour, .optional(.integer(0...Int.max)), ""),
    .value("execution_limits.max_execution_time", \.runTimeMax, .optional(.seconds(0.001...86_400)), ""),
    .value(
      "execution_limits.max_memory_usage", \.memoryBytesMax, .optional(.size((1 << 20)...(1 << 40))), ""),
    .value("execution_limits.max_cpu_usage", \.cpuShare, .optional(.share), ""),
    .value(
      "execution_limits.network_restrictions.allowed_domains", \.allowedDomains,
      .optional(.domains), ""),
    .value(
      "execution_limits.network_restrictions.blocked_ports", \.blockedPorts, .list(.integer(1...65_535)), ""),
    .value("output_filtering.pii_removal", \.removesPersonalData, .bool, ""),
    .value("output_filtering.sensitive_data_masking", \.masksSecrets, .bool, ""),
    .value("output_filtering.format_validation", \.validatesFormat, .formatValidation, ""),
    .value("output_filtering.size_limits", \.outputBytesMax, .optional(.size(1...(1 << 30))), ""),
    .value("compliance.data_retention_days", \.retentionDays, .optional(.integer(0...36_500)), ""),
    .value("compliance.audit_log_level", \.auditLevel, .auditLevel, ""),
    .value("compliance.encryption_at_rest", \.encryptsRest, .encryptionAtRest, ""),
    .value("compliance.encryption_in_transit", \.encryptsTransit, .bool, ""),
  ]
}

extension Codec<String> {
  /// The ending of a file's name, in lower case.
  fileprivate static let fileType = Codec(
    type: "the ending of a file's name such as .txt", shape: .text(optional: false),
    decode: { tree throws(Mismatch) in
      guard let text = tree.string, text.hasPrefix("."), text.utf8.count > 1, !text.contains("/") else {
        throw Mismatch()
      }
      return text.lowercased()
    }, encode: { $0 })

  /// The trail keeps everything, so that its chain can be checked: less would be another trail.
  fileprivate static let auditLevel = Codec(
    type: "INFO or DEBUG", shape: .text(optional: false),
    decode: { tree throws(Mismatch) in
      guard let level = tree.string, ["INFO", "DEBUG"].contains(level.uppercased()) else {
        throw Mismatch(hint: "the audit trail keeps everything; it cannot be made to keep less")
      }
      return level
    }, encode: { $0 })

  fileprivate static let encryptionAtRest = Codec(
    type: "disk or false", shape: .text(optional: false),
    decode: { tree throws(Mismatch) in
      if tree.string == "disk" { return "disk" }
      if tree.bool == false { return "" }
      throw Mismatch(
        hint: "files are not encrypted here: put data.directory on an encrypted disk, and write "
          + "encryption_at_rest: disk")
    }, encode: { $0 })
}

extension Codec<[String]> {
  /// Nobody who writes an empty list means all of them, which is what `http.allow` means by it.
  fileprivate static let domains = Codec(
    type: "a list of hosts, one at least", shape: .list,
    decode: { tree throws(Mismatch) in
      let hosts = try Codec.list(.hostPattern).decode(tree)
      if hosts.isEmpty { throw Mismatch(hint: "leave it out to allow the hosts of each tool's own list") }
      return hosts
    }, encode: Codec.list(.hostPattern).encode)
}

extension Codec<Bool> {
  fileprivate static let formatValidation = Codec(
    type: "true",
    decode: { tree throws(Mismatch) in
      guard tree.bool == true else {
        throw Mismatch(hint: "answers are always checked against their agent's output")
      }
      return true
    }, encode: { "\($0)" })
}

extension Codec<Double> {
  /// Of one processor.
  fileprivate static let share = Codec(
    type: "a share of one processor, 1% to 100%", shape: .text(optional: false),
    decode: { tree throws(Mismatch) in
      guard let text = tree.string, text.hasSuffix("%"), let percent = Double(text.dropLast()),
        (1...100).contains(percent)
      else { throw Mismatch() }
      return percent / 100
    }, encode: { "\(Quantity.text($0 * 100))%" })
}
