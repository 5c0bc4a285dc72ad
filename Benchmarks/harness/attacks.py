# SPDX-License-Identifier: Apache-2.0
"""The hostile scripts of the tests against the server, and what a neighbour notices of them."""

import argparse
import glob
import http.client
import json
import os
import re
import shutil
import tempfile
import threading
import time

from .process import Server

CONFIGURATION = """
scripts: { cpu_ms: 200 }
limits: { requests_per_minute: 0, requests_per_hour: 0, runs_concurrent: 0 }
providers: { openai: { base_url: "http://127.0.0.1:1/v1", retries: 0 } }
"""
NEIGHBOUR = "return { run = function() return 'good day' end }\n"
LEDGER = """return {
  schema = "create table if not exists ledger (id integer primary key, text text not null);",
  ledger_add = { description = "Adds a line.", parameters = { text = "string" }, access = { db = "write" },
    run = function(ctx, args) return { id = db.exec("insert into ledger (text) values (?)", args.text).last_insert_id } end },
}
"""
SHARED = "local count = 0 return { count = 0, next = function() count = count + 1 return count end }\n"
OVERRUN = re.compile(r"of Lua time \(stopped (-?[0-9.e-]+) ms later\)")


def stage(source):
    """A workspace with every attack that loads, and the neighbour; its folder and the attacks' names."""
    folder = tempfile.mkdtemp(prefix="perigee-attacks-")
    for name in ("agents", "lib", "tools"):
        os.mkdir(f"{folder}/{name}")
    for path, text in (
        ("perigee.yaml", CONFIGURATION), ("agents/neighbour.lua", NEIGHBOUR), ("tools/ledger.lua", LEDGER),
        ("lib/shared.lua", SHARED),
    ):
        with open(f"{folder}/{path}", "w", encoding="utf-8") as file:
            file.write(text)
    names = []
    for path in sorted(glob.glob(f"{source}/*.lua")):
        with open(path, "rb") as file:
            head = file.read(4096).split(b"\n")
        if not head[1].startswith(b"-- Expect: refused"):
            shutil.copy(path, f"{folder}/agents/")
            names.append(os.path.basename(path)[:-4])
    return folder, names


class Attacks:
    """One server with the attacks, driven by `at_once` clients while a neighbour is talked to."""

    def __init__(self, options, source, at_once):
        self.folder, self.names = stage(source)
        # Port 1 has no provider: prompts are made, and stubs answer.
        self.server = Server(argparse.Namespace(**vars(options) | {"workspace": self.folder}))
        self.at_once = at_once
        self.remaining = iter(self.names)
        self.lock = threading.Lock()
        self.is_over = False
        self.times = []
        self.wrong = 0

    def close(self):
        self.server.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def chat(self, connection, agent, session):
        body = json.dumps({"message": "hello", "session_id": session})
        connection.request(
            "POST", f"/v1/agents/{agent}/chat", body, {"Content-Type": "application/json"}
        )
        answer = connection.getresponse()
        return answer.status, answer.read()

    def talk(self):
        connection = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=60)
        while not self.is_over:
            begin = time.monotonic()
            status, body = self.chat(connection, "neighbour", "neighbour")
            self.times.append(time.monotonic() - begin)
            self.wrong += status != 200 or json.loads(body)["response"] != "good day"
            time.sleep(0.002)

    def attack(self):
        connection = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=120)
        while True:
            with self.lock:
                name = next(self.remaining, None)
            if name is None:
                return
            for session in ("first", "second"):
                self.chat(connection, name, f"{session}-{name}")

    def run(self):
        neighbour = threading.Thread(target=self.talk)
        attackers = [threading.Thread(target=self.attack) for _ in range(self.at_once)]
        for thread in (neighbour, *attackers):
            thread.start()
        for thread in attackers:
            thread.join()
        self.is_over = True
        neighbour.join()
        times = sorted(self.times)
        with open(self.server.log, encoding="utf-8", errors="replace") as log:
            overruns = [float(number) for number in OVERRUN.findall(log.read())]
        return {
            "attacks": 2 * len(self.names), "at_once": self.at_once, "answers": len(times),
            "wrong_answers": self.wrong, "p50_ms": times[len(times) // 2] * 1e3,
            "p99_ms": times[len(times) * 99 // 100] * 1e3, "max_ms": times[-1] * 1e3,
            "stopped": len(overruns), "overrun_max_ms": max(overruns, default=0),
        }
