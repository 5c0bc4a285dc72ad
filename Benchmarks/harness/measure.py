# SPDX-License-Identifier: Apache-2.0
"""What is measured, one function a scenario."""

import asyncio
import itertools
import json
import os
import resource
import statistics
import subprocess
import time
import urllib.request

from .process import (
    BenchmarkError, SecureProvider, Server, cpu_seconds, machine_cpu_seconds, memory_mb, reset_peak,
)

RUNS = itertools.count(1)
# Paces of one stream, and of many: milliseconds until the first token, and from one to the next.
ALONE = (20, 1)
MANY = (50, 20)


def drive(load, port, path, *arguments, server=None, provider=None, at_mark=None):
    """Runs the load generator; its result, and what the processes used between its `open` and `closed`.

    `at_mark` is called at both.
    """
    name = f"{os.getpid()}-{next(RUNS)}"
    command = [load, "-p", str(port), "-a", path, "-r", name, *map(str, arguments)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    marks, result = [], None
    for line in process.stdout:
        if line.startswith("{"):
            result = json.loads(line)
            continue
        if at_mark:
            at_mark()
        pids = [part.pid if part else None for part in (server, provider)] + [process.pid]
        used = [cpu_seconds(pid) if pid else 0 for pid in pids]
        memory = memory_mb(server.pid, "VmRSS") if server else 0
        marks.append((time.monotonic(), machine_cpu_seconds(), used, memory))
    process.stdout.close()
    if process.wait() != 0 or result is None or len(marks) != 2:
        raise BenchmarkError("the load generator failed")
    (t0, machine0, used0, memory0), (t1, machine1, used1, memory1) = marks
    result["cpu_seconds"] = used1[0] - used0[0]
    result["cores"] = result["cpu_seconds"] / (t1 - t0)
    others = machine1 - machine0 - (sum(used1) - sum(used0))
    result["other_cpu_share"] = max(0.0, others / (t1 - t0) / os.cpu_count())
    result["grown_mb"] = memory1 - memory0
    if result["finished"]:
        result["cpu_seconds_per_1000"] = result["cpu_seconds"] / result["finished"] * 1000
        result["grown_mb_per_1000"] = result["grown_mb"] / result["finished"] * 1000
    return result


def rightly(result, server, provider):
    """The result, when every turn was right."""
    if result["failed"] or not result["finished"]:
        fault = provider.stats()["last_fault"]
        raise BenchmarkError(
            f"{result['failed']} turns failed; the first:\n{result['first_failure']}\n"
            f"the provider missed: {fault or 'nothing'}\nthe server's log:\n{server.log_tail()}")
    return result


class Bench:
    """One server beside one provider, and the scenarios that are measured on them."""

    def __init__(self, options, tools, provider, say):
        self.options, self.tools, self.provider, self.say = options, tools, provider, say
        self.load = tools["load"]
        self.server = None

    def close(self):
        if self.server:
            self.server.close()

    def turn(self, *arguments):
        return drive(
            self.load, self.server.port, self.options.chat_path, *arguments, server=self.server,
            provider=self.provider,
        )

    def start(self):
        """Starts the server several times; the last one stays."""
        times = []
        for _ in range(self.options.starts):
            rest_mb = self.start_anew()
            times.append(self.server.start_ms)
        return {"start_ms": statistics.median(times), "idle_rss_mb": rest_mb}

    def start_anew(self, provider=None):
        """A server without a past; its memory at rest, in MB."""
        self.close()
        self.server = Server(self.options, provider or self.provider)
        time.sleep(1.5)  # lets it settle
        return memory_mb(self.server.pid, "VmRSS")

    def verify(self):
        """Every kind of turn once over whole sessions, which also warms the server up."""
        for kind in ("plain", "list", "add", "three", "plain -e", "list -e", "add -e", "three -e"):
            result = self.turn("-m", *kind.split(), "-c", 8, "-n", 20)
            if result["failed"]:
                fault = self.provider.stats()["last_fault"]
                raise BenchmarkError(
                    f"{result['failed']} of 160 turns `-m {kind}` failed; the first:\n{result['first_failure']}\n"
                    f"the provider missed: {fault or 'nothing'}\nthe server's log:\n{self.server.log_tail()}"
                )

    def latency(self):
        """One user: what the server adds to the provider's own answer."""
        alone = drive(self.load, self.provider.port, "/v1/chat/completions", "-P", "-n", 2000)
        results = {"provider_p50_ms": alone["p50_ms"]}
        for mode, calls, turns in (("plain", 1, 1000), ("list", 2, 700)):
            result = self.turn("-m", mode, "-n", turns)
            for percentile in ("p50_ms", "p99_ms"):
                result[f"added_{percentile}"] = max(0.0, result[percentile] - calls * alone["p50_ms"])
            results["tool" if mode == "list" else mode] = result
        return results

    def first_token(self):
        """One stream: what the server adds to the time until the provider's own first token."""
        pace = ("-e", "-d", ALONE[0], "-i", ALONE[1])
        alone = drive(self.load, self.provider.port, "/v1/chat/completions", "-P", *pace, "-n", 100)
        result = self.turn(*pace, "-n", 200)
        for percentile in ("p50_ms", "p99_ms"):
            name = f"first_token_{percentile}"
            result[f"provider_{percentile}"] = alone[name]
            # As in `latency`, less the median: the provider's own p99 is what the neighbours make of it.
            result[f"added_{percentile}"] = max(0.0, result[name] - alone["first_token_p50_ms"])
        return result

    def throughput(self):
        """32 users and a provider that answers at once: what a turn costs."""
        kinds = {"plain": ("-m", "plain"), "tool": ("-m", "list"), "streamed": ("-m", "plain", "-e")}
        rounds = {name: [] for name in kinds}
        for number in range(self.options.rounds):
            for name in kinds if number % 2 == 0 else reversed(kinds):
                rounds[name].append(self.turn(*kinds[name], "-c", 32, "-w", 1.5, "-s", self.options.seconds))
        return rounds

    def streams(self):
        """Many paced streams at once."""
        count, (first, every) = self.options.streams, MANY
        result = self.turn("-e", "-d", first, "-i", every, "-c", count, "-n", 5)
        result["streams"] = count
        if result["finished"]:
            tokens = result["tokens"] / result["finished"]
            result["ideal_tokens_per_second"] = count * tokens / (first + (tokens - 1) * every) * 1000
        return result

    def waiting(self, count, provider=None):
        """Many conversations at once on a provider that takes its time; `[]` where the open files are too few."""
        files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
        if files < 2 * count + 100:
            self.say(f"skipped: {count} users need {2 * count + 100} open files, the limit is {files}")
            return []
        rest_mb = self.start_anew(provider)
        reset_peak(self.server.pid)
        self.provider.stats()  # forgets the calls that were open before
        result = self.turn("-m", "plain", "-d", 500, "-c", count, "-n", 5)
        result |= {"conversations": count, "ideal_turns_per_second": count / 0.5}
        result["peak_rss_mb"] = memory_mb(self.server.pid, "VmHWM")
        result["kb_per_conversation"] = (result["peak_rss_mb"] - rest_mb) / count * 1024
        result["calls_open_max"] = self.provider.stats()["calls_open_max"]
        return [result]

    def waiting_securely(self, count):
        """The same over HTTP/2 with TLS; `[]` where there is no proxy for it."""
        if not SecureProvider.is_possible():
            self.say("skipped: nghttpx is not installed (apt-get install nghttp2-proxy openssl)")
            return []
        secure = SecureProvider(self.provider)
        try:
            return [result | {"is_secure": True} for result in self.waiting(count, secure)]
        finally:
            secure.close()

    def idle(self):
        """Runs that wait in Lua: what their states take up."""
        path = self.options.idle_path
        count = self.options.conversations[0]
        before = metric(self.server.port, "perigee_lua_runs")
        if before is None:
            return None
        return asyncio.run(idle_runs(self.server.port, path, count))

    def limits(self):
        """Processor time of one turn's scripts, in microseconds; the least of some alternating runs."""
        script = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "src", "turn.lua")
        least = {}
        for _ in range(3):
            for name in ("limits", "unlimited"):
                run = subprocess.run([self.tools[name], script], check=True, capture_output=True, text=True)
                least[name] = min(float(run.stdout), least.get(name, float("inf")))
        return {"with_us": least["limits"], "without_us": least["unlimited"]}


def metric(port, name):
    """The value of a metric without labels; None when there is none of that name."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
        for line in answer.read().decode().splitlines():
            if line.startswith(name + " "):
                return float(line.split()[1])
    return None


async def idle_runs(port, path, count):
    """Starts runs that wait in Lua and reads the metrics when all of them do."""
    body = b'{"message": "wait"}'
    head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    request = f"{head}Content-Length: {len(body)}\r\nConnection: close\r\n\r\n".encode() + body

    async def one():
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(request)
        answer = await reader.read()
        writer.close()
        if not answer.startswith(b"HTTP/1.1 200"):
            raise BenchmarkError(f"an idle run failed: {answer[:200]!r}")

    runs = asyncio.gather(*(one() for _ in range(count)))
    most = {"runs": 0.0, "memory_mb": 0.0, "cells": 0.0}
    while not runs.done():
        await asyncio.sleep(0.1)
        waiting = await asyncio.to_thread(metric, port, "perigee_lua_runs")
        if waiting >= most["runs"]:
            memory = await asyncio.to_thread(metric, port, "perigee_lua_memory_bytes")
            cells = await asyncio.to_thread(metric, port, "perigee_lua_cells")
            most = {"runs": waiting, "memory_mb": memory / 1e6, "cells": cells}
    await runs
    return most
