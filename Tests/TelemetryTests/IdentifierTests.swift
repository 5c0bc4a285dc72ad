// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import Telemetry

@Suite("Ids of traces and spans", .timeLimit(.minutes(1)))
struct IdentifierTests {
  /// Key 00 01 … 0f, message 00 01 …: made by OpenSSL 3.0; the 64-bit one of 15 bytes is the paper's own.
  @Test(
    "SipHash-2-4 gives what the reference gives",
    arguments: [
      (0, "726fdb47dd0e0e31", "e6a825ba047f81a3930255c71472f66d"),
      (1, "74f839c593dc67fd", "44af996bd8c187da45fc229b11597634"),
      (7, "ab0200f58b01d137", "53c1dbd8beebf1a13982f01fa64ab8c0"),
      (8, "93f5f5799a932462", "61f55862baa9623bb49714f364e2830f"),
      (15, "a129ca6149be45e5", "11a8b03399e99354d9c3cf970fec087e"),
      (16, "3f2acc7f57c29bdb", "bb54b067caa4e26e77052385bf1533fd"),
      (63, "958a324ceb064572", "4a83502f77d150517cbd3f979a063e50"),
    ])
  func sipHash(_ count: Int, _ short: String, _ long: String) {
    let text = String(decoding: (0..<count).map { UInt8($0) }, as: UTF8.self)
    let key: (UInt64, UInt64) = (0x0706_0504_0302_0100, 0x0f0e_0d0c_0b0a_0908)
    #expect(String(lowerHex: SipHash.hash64(text, key: key)) == short)
    let (first, second) = SipHash.hash128(text, key: key)
    #expect(String(lowerHex: first, second) == long)
  }

  @Test("ids are the same in every process and version")
  func fixed() throws {
    #expect(TraceID(ofRun: "run_1").hex == "41fd606c24fb5a2e3c351584451cdf38")
    #expect(TraceID(ofRun: "run_2/é").hex == "93e95d12bc270d051c0af44482fbb1cf")
    #expect(TraceID(ofRun: "").hex == "832aadd3fc96f834dc207e4e211ed9c0")
    let trace = try #require(TraceID(hex: "0af7651916cd43dd8448eb211c80319c"))
    #expect(SpanID(of: "run_1", in: trace).hex == "4cbbc97584d7dfe0")
    #expect(SpanID(of: "run_1/turn/3", in: trace).hex == "0805168a81e6907c")
    #expect(SpanID(of: "", in: trace).hex == "a1e0936d8da816a3")
  }

  @Test("100,000 keys that are alike have as many ids, and every bit is set in half of them")
  func mixed() {
    let trace = TraceID(ofRun: "run_1")
    var counts = [Int](repeating: 0, count: 64)
    var seen: Set<UInt64> = []
    for number in 0..<100_000 {
      let value = SpanID(of: "run_1/turn/\(number)", in: trace).value
      seen.insert(value)
      for bit in 0..<64 where value >> UInt64(bit) & 1 == 1 { counts[bit] += 1 }
    }
    #expect(seen.count == 100_000)
    // Ten standard deviations.
    #expect(counts.allSatisfy { abs($0 - 50_000) < 1600 })
  }

  @Test("the same key is another span in another trace")
  func keyed() {
    #expect(SpanID(of: "a", in: TraceID(ofRun: "1")) != SpanID(of: "a", in: TraceID(ofRun: "2")))
  }

  @Test("hexadecimal text is lower-case, of full length and not zero")
  func hex() {
    let trace = TraceID(high: 1, low: 0xabc)
    #expect(trace?.hex == "00000000000000010000000000000abc")
    #expect(TraceID(hex: "00000000000000010000000000000abc") == trace)
    #expect(SpanID(0xff)?.description == "00000000000000ff")
    #expect(SpanID(hex: "00000000000000ff") == SpanID(0xff))
    #expect(TraceID(high: 0, low: 0) == nil && SpanID(0) == nil)
    #expect(TraceID(high: 0, low: 1) != nil && TraceID(high: 1, low: 0) != nil)
    for text in ["", "ff", "00000000000000FF", "0000000000000000", "+0000000000000ff", "000000000000000ff"] {
      #expect(SpanID(hex: text) == nil, "\(text)")
    }
    for text in [
      "", "00000000000000ff", String(repeating: "0", count: 32), String(repeating: "a", count: 33),
    ] {
      #expect(TraceID(hex: text) == nil, "\(text)")
    }
  }
}

@Suite("Sampler", .timeLimit(.minutes(1)))
struct SamplerTests {
  private static func context(_ flags: TraceFlags) -> TraceContext {
    TraceContext(traceID: traceID, spanID: SpanID(of: "p", in: traceID), flags: flags)
  }

  private static let always = Sampler(share: 1)
  private static let never = Sampler(share: 0)

  @Test("the parent has decided, whatever the share, where it is asked")
  func parent() {
    #expect(Self.never.isSampled(traceID, parent: Self.context(.sampled)))
    #expect(!Self.always.isSampled(traceID, parent: Self.context([])))
    #expect(!Self.always.isSampled(traceID, parent: Self.context(.random)))
    #expect(Sampler(share: 1, followsParent: false).isSampled(traceID, parent: Self.context([])))
    #expect(!Sampler(share: 0, followsParent: false).isSampled(traceID, parent: Self.context(.sampled)))
  }

  @Test(
    "the names of the environment are these",
    arguments: [
      (nil, "0.5", Sampler.standard), ("", nil, Sampler.standard), ("parentbased_always_on", nil, .standard),
      ("parentbased_always_off", nil, never), ("parentbased_traceidratio", "0.25", Sampler(share: 0.25)),
      ("always_on", "x", Sampler(share: 1, followsParent: false)),
      ("always_off", nil, Sampler(share: 0, followsParent: false)),
      ("traceidratio", "1e-1", Sampler(share: 0.1, followsParent: false)),
      ("traceidratio", nil, Sampler(share: 1, followsParent: false)),
      ("traceidratio", "", Sampler(share: 1, followsParent: false)),
    ] as [(String?, String?, Sampler)])
  func named(_ name: String?, argument: String?, sampler: Sampler) throws {
    #expect(try Sampler(named: name, argument: argument) == sampler)
  }

  @Test(
    "what is no sampler, and no share, is refused and not shown",
    arguments: [
      ("hunter2", nil), ("parentbased_", nil), ("ALWAYS_ON", nil), ("jaeger_remote", nil),
      ("traceidratio", "hunter2"), ("traceidratio", "-0.1"), ("parentbased_traceidratio", "1.1"),
      ("traceidratio", "nan"), ("traceidratio", "50%"),
    ] as [(String, String?)])
  func wrong(_ name: String, argument: String?) {
    let error = #expect(throws: TelemetryError.self) { try Sampler(named: name, argument: argument) }
    #expect(error?.message.hasPrefix("OTEL_TRACES_SAMPLER") == true)
    #expect(error?.message.contains("hunter2") == false && error?.hint?.contains("hunter2") == false)
  }

  @Test("0 is none and 1 is all, to the last id")
  func ends() throws {
    let first = try #require(TraceID(high: 1, low: 0))
    let last = try #require(TraceID(high: 0, low: .max))
    for trace in [first, last] {
      #expect(Self.always.isSampled(trace))
      #expect(!Self.never.isSampled(trace))
      for share in [-1, -Double.infinity, Double.nan] { #expect(!Sampler(share: share).isSampled(trace)) }
      for share in [2, Double.infinity] { #expect(Sampler(share: share).isSampled(trace)) }
    }
  }

  @Test("a quarter begins where the last 7 bytes reach three quarters, and the first 9 do not count")
  func threshold() throws {
    let quarter = Sampler(share: 0.25)
    for high: UInt64 in [1, .max] {
      #expect(quarter.isSampled(try #require(TraceID(high: high, low: 0x00c0_0000_0000_0000))))
      #expect(!quarter.isSampled(try #require(TraceID(high: high, low: 0xffbf_ffff_ffff_ffff))))
    }
  }

  @Test("derived ids are sampled in the share that was asked for", arguments: [0.01, 0.1, 0.5, 0.9])
  func share(_ share: Double) {
    let count = (0..<20_000).count { Sampler(share: share).isSampled(TraceID(ofRun: "run_\($0)")) }
    #expect(abs(Double(count) / 20_000 - share) < 0.015)
  }

  @Test("who samples more samples what the others do")
  func nested() {
    for number in 0..<5000 {
      let trace = TraceID(ofRun: "run_\(number)")
      if Sampler(share: 0.1).isSampled(trace) { #expect(Sampler(share: 0.2).isSampled(trace)) }
    }
  }
}
