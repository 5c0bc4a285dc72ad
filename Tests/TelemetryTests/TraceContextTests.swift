// SPDX-License-Identifier: Apache-2.0
import TestSupport
import Testing

@testable import Telemetry

private let ids = "4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7"

@Suite("Trace context", .timeLimit(.minutes(1)))
struct TraceContextTests {
  @Test(
    "the specification's examples are read and written back",
    arguments: [
      ("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", true),
      ("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00", false),
      ("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", true),
      ("00-0af7651916cd43dd8448eb211c80319c-b9c7c989f97918e1-03", true),
    ])
  func examples(_ text: String, isSampled: Bool) throws {
    let context = try #require(TraceContext(traceparent: text))
    #expect(context.traceparent == text)
    #expect(context.isSampled == isSampled)
    #expect(context.traceID.hex == text.dropFirst(3).prefix(32))
    #expect(context.spanID.hex == text.dropFirst(36).prefix(16))
    #expect(context.traceState.isEmpty)
  }

  @Test(
    "a later version is read by its prefix and sent on as 00",
    arguments: [
      "cc-\(ids)-01", "cc-\(ids)-01-what-the-future-will-be-like", "cc-\(ids)-01-", "01-\(ids)-ff",
      "fe-\(ids)-03-x",
    ])
  func future(_ text: String) throws {
    let context = try #require(TraceContext(traceparent: text))
    #expect(context.traceparent == "00-\(ids)-01")
  }

  @Test("unknown flags of version 00 are not sent on")
  func flags() {
    #expect(TraceContext(traceparent: "00-\(ids)-ff")?.traceparent == "00-\(ids)-03")
    #expect(TraceContext(traceparent: "00-\(ids)-fc")?.isSampled == false)
  }

  @Test(
    "what breaks the grammar is no context",
    arguments: [
      "", "00", "00-\(ids)", "00-\(ids)-", "00-\(ids)-1", "00-\(ids)-01-", "00-\(ids)-01-x", "00-\(ids)-011",
      "00-\(ids)-01 ", " 00-\(ids)-01", "ff-\(ids)-01", "ff-\(ids)-01-x", "cc-\(ids)-01.what", "cc-\(ids)-0",
      "0-\(ids)-01x", "FE-\(ids)-01", "00-\(ids)-0A", "00-\(ids)-.0", "00_\(ids)-01", "00-\(ids)_01",
      "qw-\(ids)-01",
      "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
      "00-4bf92f3577b34da6a3ce929d0e0e4736-00F067AA0BA902B7-01",
      "00-4bf92f3577b34da6a3ce929d0e0e4736_00f067aa0ba902b7-01",
      "00-4bf92f3577b34da6a3ce929d0e0e473-600f067aa0ba902b7-01",
      "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
      "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
      "00-4bf92f3577b34da6a3ce929d0e0e473.-00f067aa0ba902b7-01",
      "00-4bf92f3577b34da6a3ce929d0e0e47é-00f067aa0ba902b7-01",
      "01-\(ids)-01-" + String(repeating: "x", count: 500),
    ])
  func refused(_ text: String) {
    #expect(TraceContext(traceparent: text, tracestate: "a=b") == nil)
  }

  @Test(
    "a good list of states is passed on without the space around its members",
    arguments: [
      ("rojo=00f067aa0ba902b7,congo=t61rcWkgMzE", "rojo=00f067aa0ba902b7,congo=t61rcWkgMzE"),
      ("foo=1 , \t bar=2\t", "foo=1,bar=2"), ("foo=1,,bar=2,", "foo=1,bar=2"), ("", ""), (" \t ", ""),
      ("foo= x  y", "foo= x  y"),
      ("a-_*/@z=~!#$%&'()*+-./:;<>?@[]^_`{|}", "a-_*/@z=~!#$%&'()*+-./:;<>?@[]^_`{|}"),
      ("fw529a3039@dt=FfAAAAAAA", "fw529a3039@dt=FfAAAAAAA"), ("0a=1", "0a=1"),
    ])
  func states(_ text: String, _ normal: String) {
    #expect(TraceState.normalized(text) == normal)
    #expect(TraceContext(traceparent: "00-\(ids)-01", tracestate: text)?.traceState == normal)
  }

  @Test(
    "a malformed list of states is dropped, and the parent stays",
    arguments: [
      "foo", "foo=", "=1", "foo=1=2", "Foo=1", "foo =1", "foo=1,foo=2", "foo=1,bar", "foo=\u{7F}", "foo=é",
      "-a=1",
      "foo=1\t2", "foo=1\n", "a b=1", "@v=1", "foo=1;é", String(repeating: "k", count: 257) + "=1",
      "k=" + String(repeating: "v", count: 257), "a=1," + String(repeating: " ", count: 509),
      (0..<33).map { "k\($0)=1" }.joined(separator: ","),
    ])
  func badStates(_ text: String) {
    let context = TraceContext(traceparent: "00-\(ids)-01", tracestate: text)
    #expect(context?.traceparent == "00-\(ids)-01")
    #expect(context?.traceState == "")
  }

  @Test("32 members, keys and values of 256 bytes and 512 bytes in all are taken")
  func bounds() {
    let members = (0..<32).map { "k\($0)=1" }.joined(separator: ",")
    #expect(TraceState.normalized(members) == members)
    let key = String(repeating: "k", count: 256) + "=" + String(repeating: "v", count: 255)
    #expect(key.utf8.count == 512 && TraceState.normalized(key) == key)
    let value = "k=" + String(repeating: "v", count: 256)
    #expect(TraceState.normalized(value) == value)
    #expect(TraceState.normalized("a=1,b=" + String(repeating: "v", count: 507)) == nil)
  }

  @Test("a span sends on the trace's state under its own id")
  func sendsOn() throws {
    let context = try #require(TraceContext(traceparent: "00-\(ids)-02", tracestate: "a=b"))
    let own = SpanID(of: "x", in: context.traceID)
    #expect(context.with(own, isSampled: true).traceparent == "00-\(context.traceID)-\(own)-03")
    #expect(context.with(own, isSampled: false).traceparent == "00-\(context.traceID)-\(own)-02")
    #expect(context.with(own, isSampled: true).traceState == "a=b")
    #expect(TraceContext(traceID: context.traceID, spanID: own, traceState: "A=b").traceState.isEmpty)
  }

  @Test("damaged headers never crash, and what is read is written as it was meant")
  func fuzz() {
    let seed: UInt64 = 0x5045_5249
    var random = SplitMix64(seed: seed)
    let pool = Array("0123456789abcdefABCDEFg-_=, \t\0é~@".utf8)
    for index in 0..<20_000 {
      var parent = Array("00-\(ids)-01".utf8)
      var state = Array("rojo=00f067aa0ba902b7,congo=t61rcWkgMzE,a@b=c d".utf8)
      for _ in 0...Int.random(in: 0..<3, using: &random) {
        let byte = pool.randomElement(using: &random) ?? 0
        let place = Int.random(in: 0..<max(1, parent.count), using: &random)
        switch Int.random(in: 0..<4, using: &random) {
        case 0 where !parent.isEmpty: parent[place] = byte
        case 1: parent.insert(byte, at: min(place, parent.count))
        case 2 where !parent.isEmpty: parent.remove(at: place)
        default: parent.append(byte)
        }
        state[Int.random(in: 0..<state.count, using: &random)] = byte
      }
      let text = String(decoding: parent, as: UTF8.self)
      let list = String(decoding: state, as: UTF8.self)
      guard let context = TraceContext(traceparent: text, tracestate: list) else { continue }
      let isSame = context.traceparent.dropFirst(3).prefix(50) == text.dropFirst(3).prefix(50)
      let again = TraceContext(traceparent: context.traceparent, tracestate: context.traceState)
      let isClean = context.traceState.utf8.allSatisfy { (0x20...0x7E).contains($0) }
      if !isSame || again != context || !isClean { Issue.record("SEED=\(seed) \(index): \(text) \(list)") }
    }
  }
}
