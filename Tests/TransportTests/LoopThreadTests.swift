// SPDX-License-Identifier: Apache-2.0
import Foundation
import TestSupport
import Testing
import Transport

@Suite(.timeLimit(.minutes(10))) struct LoopThreadTests {
  @Test("a stream that is read on the loop thread is read there from its head to its end")
  func isolation() async throws {
    let client = try HTTPClient()
    let gates = [Gate(), Gate()]
    let server = try ScriptedProvider(
      .pieces([(gates[0], Array("one".utf8)), (gates[1], Array("two".utf8))]))
    let names = try await client.onLoopThread { () -> [String] in
      var names = [Self.threadName()]
      let stream = try await client.stream(HTTPRequest(url: server.origin, timeout: .seconds(600)))
      names.append(Self.threadName())
      for gate in gates {
        gate.open()
        _ = try await stream.next()
        names.append(Self.threadName())
      }
      #expect(try await stream.next() == nil)
      return names + [Self.threadName()]
    }
    #expect(names == Array(repeating: "perigee-http", count: 5))
    #expect(Self.threadName() != "perigee-http")
  }

  @Test("a task on the loop thread comes to its end when the client shuts down under it")
  func shutdown() async throws {
    let client = try HTTPClient()
    let server = try ScriptedProvider(.silentBody)
    let outcome = await client.onLoopThread { () -> String in
      do {
        let stream = try await client.stream(HTTPRequest(url: server.origin, timeout: .seconds(600)))
        async let closed: Void = client.shutdown()
        _ = try await stream.next()
        await closed
        return "read on"
      } catch let error as TransportError {
        return error.kind == .closed ? "closed" : "\(error)"
      } catch {
        return "\(error)"
      }
    }
    #expect(outcome == "closed")
    let late = await client.onLoopThread { Self.threadName() }
    #expect(late != "perigee-http")
  }

  private static func threadName() -> String {
    let name = try? String(contentsOfFile: "/proc/thread-self/comm", encoding: .utf8)
    return name?.trimmingCharacters(in: .newlines) ?? "?"
  }
}
