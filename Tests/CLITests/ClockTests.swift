// SPDX-License-Identifier: Apache-2.0
import Foundation
import JSONCodec
import TestSupport
import Testing

/// A clock on the wall that jumps while the server runs.
@Suite("Clocks that jump", .timeLimit(.minutes(5)))
struct ClockTests {
  /// The clock of one program, which a file moves.
  private struct WallClock {
    /// Laid before the C library; it adds what the file says to the time of day.
    private static let source = """
      #define _GNU_SOURCE
      #include <dlfcn.h>
      #include <fcntl.h>
      #include <stdlib.h>
      #include <sys/mman.h>
      #include <sys/time.h>
      #include <time.h>
      static volatile long *offset;
      __attribute__((constructor)) static void begin(void) {
        int file = open(getenv("CLOCK_OFFSET"), O_RDONLY);
        offset = mmap(0, 8, PROT_READ, MAP_SHARED, file, 0);
      }
      int clock_gettime(clockid_t id, struct timespec *t) {
        int result = ((int (*)(clockid_t, struct timespec *))dlsym(RTLD_NEXT, "clock_gettime"))(id, t);
        if (offset && (id == CLOCK_REALTIME || id == CLOCK_REALTIME_COARSE)) t->tv_sec += *offset;
        return result;
      }
      int gettimeofday(struct timeval *t, void *zone) {
        int result = ((int (*)(struct timeval *, void *))dlsym(RTLD_NEXT, "gettimeofday"))(t, zone);
        if (offset) t->tv_sec += *offset;
        return result;
      }
      time_t time(time_t *t) {
        time_t now = ((time_t (*)(time_t *))dlsym(RTLD_NEXT, "time"))(0) + (offset ? *offset : 0);
        if (t) *t = now;
        return now;
      }
      """

    private let folder: Folder
    private let offset: FileHandle

    init() async throws {
      folder = try Folder(["clock.c": Self.source, "offset": String(repeating: "\0", count: 8)])
      let compiler = try ChildProcess(
        "/usr/bin/cc",
        ["-shared", "-fPIC", "-o", "\(folder.path)/clock.so", "\(folder.path)/clock.c", "-ldl"],
        environment: ProcessInfo.processInfo.environment)
      let status = await compiler.end()
      try #require(status == 0)
      offset = try FileHandle(forUpdating: URL(filePath: "\(folder.path)/offset"))
    }

    static let isAvailable = FileManager.default.isExecutableFile(atPath: "/usr/bin/cc")

    var environment: [String: String] {
      ["LD_PRELOAD": "\(folder.path)/clock.so", "CLOCK_OFFSET": "\(folder.path)/offset"]
    }

    func set(to hours: Int64) throws {
      try offset.seek(toOffset: 0)
      try offset.write(contentsOf: withUnsafeBytes(of: hours * 3600) { Data($0) })
    }
  }

  private static func runs(_ server: RunningServer, of agent: String) async throws -> [JSON] {
    try await server.get("/v1/runs?limit=200").json["data"]?.array?.filter { $0["agent"] == .string(agent) }
      ?? []
  }

  @Test(
    "what is kept stays in its order, what is due comes once, and who sleeps wakes",
    .enabled(if: WallClock.isAvailable))
  func jumps() async throws {
    let workspace = try Folder([
      "agents/echo.lua": "return { run = function(ctx, input) return input.message end }",
      "agents/sleeps.lua": "return { run = function() time.sleep(7200) return 'awake' end }",
      "agents/hourly.lua": """
      return { schedules = { { every = "1h", missed = "once" } }, run = function() return 'tick' end }
      """,
    ])
    let data = try Folder()
    let clock = try await WallClock()
    let server = try await RunningServer(
      workspace: workspace.path, data: data.path, environment: clock.environment)
    #expect(try await server.chat("sleeps", "x", session: "z").status == 202)
    _ = try await server.chat("echo", "one", session: "s")
    try clock.set(to: 24)
    _ = try await server.chat("echo", "two", session: "s")
    // A day was slept over, and missed: the run has woken, and the schedule has come once.
    try await waitWhile { try await Self.runs(server, of: "sleeps").first?["status"] != "completed" }
    try await waitWhile { try await Self.runs(server, of: "hourly").first?["status"] != "completed" }
    try clock.set(to: -24)
    _ = try await server.chat("echo", "three", session: "s")
    let messages = try await server.get("/v1/sessions/s/messages").json["data"]?.array ?? []
    #expect(messages.map { $0["content"] } == ["one", "one", "two", "two", "three", "three"])
    #expect(Set(messages.map { $0["id"]?.string }).count == 6)
    let times = messages.compactMap { $0["created_at"]?.string }
    #expect(times[0] < times[2] && times[4] < times[0], "the clock did not jump: \(times)")
    let order = try await Self.runs(server, of: "echo").compactMap { $0["id"]?.string }
    #expect(
      order
        == messages.compactMap { $0["run_id"]?.string }.enumerated().filter { $0.offset % 2 == 0 }.map(
          \.element
        ).reversed())
    // Back where it was: nothing that has come comes again.
    try clock.set(to: 0)
    await server.stop()
    let again = try await RunningServer(
      workspace: workspace.path, data: data.path, environment: clock.environment)
    _ = try await again.chat("echo", "four", session: "s")
    for agent in ["hourly", "sleeps"] { #expect(try await Self.runs(again, of: agent).count == 1) }
    let last = try await again.get("/v1/sessions/s/messages").json["data"]?.array?.last
    #expect(last?["content"] == "four")
    await again.stop()
  }
}
