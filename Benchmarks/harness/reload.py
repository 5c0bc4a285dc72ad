# SPDX-License-Identifier: Apache-2.0
"""How long it takes from saving a script until an answer is that of the new version."""

import argparse
import http.client
import json
import os
import shutil
import tempfile
import time

from .process import BenchmarkError, Server

AGENT = """local money = require "lib.money"
return {
  description = "Agent %(number)d.",
  tools = { "tool_%(number)d" },
  run = function(ctx, input) return "%(answer)s" .. money.sign end,
}
"""
TOOL = """return {
  tool_%(number)d = {
    description = "Adds a line to list %(number)d.", parameters = { text = "string", count = "integer?" },
    run = function(ctx, args)
      local words = {}
      for word in args.text:gmatch("%%S+") do words[#words + 1] = word:upper() end
      return { text = table.concat(words, " "), count = args.count or 1 }
    end,
  },
}
"""


def write(path, text):
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)


class Reload:
    """A server that watches a workspace with many scripts, of which one is edited again and again."""

    def __init__(self, options, scripts):
        self.folder = tempfile.mkdtemp(prefix="perigee-reload-")
        self.scripts = scripts
        for name in ("agents", "lib", "tools"):
            os.mkdir(f"{self.folder}/{name}")
        write(f"{self.folder}/perigee.yaml", "reload: { watch: true }\n")
        write(f"{self.folder}/lib/money.lua", "return { sign = '' }\n")
        for number in range(scripts // 2):
            write(f"{self.folder}/tools/t{number}.lua", TOOL % {"number": number})
            write(f"{self.folder}/agents/a{number}.lua", AGENT % {"number": number, "answer": "first"})
        # Port 1 has no provider: the agents are functions.
        self.server = Server(argparse.Namespace(**vars(options) | {"workspace": self.folder}))
        self.connection = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=30)

    def close(self):
        self.connection.close()
        self.server.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def answer(self):
        self.connection.request(
            "POST", "/v1/agents/a0/chat", '{"message": "hello"}', {"Content-Type": "application/json"}
        )
        answer = self.connection.getresponse()
        body = json.loads(answer.read())
        if answer.status != 200:
            raise BenchmarkError(f"an answer failed while scripts were edited: {body}")
        return body["response"]

    def edit(self, path, text, expected):
        """Milliseconds from before the write until the answer has been read, and the answers until then."""
        begin = time.monotonic()
        write(f"{self.folder}/{path}", text)
        asked = 1
        while self.answer() != expected:
            asked += 1
            if time.monotonic() - begin > 30:
                raise BenchmarkError("an edit did not come into force")
            time.sleep(0.001)
        return (time.monotonic() - begin) * 1e3, asked

    def run(self, edits=30):
        self.answer()
        agent, module = [], []
        for number in range(edits):
            text = AGENT % {"number": 0, "answer": f"edit {number} "}
            agent.append(self.edit("agents/a0.lua", text, f"edit {number} ")[0])
            time.sleep(0.1)
        for number in range(edits // 3):
            # Every agent requires it, and is evaluated again.
            sign = f"sign {number}"
            text = f"return {{ sign = '{sign}' }}\n"
            module.append(self.edit("lib/money.lua", text, f"edit {edits - 1} {sign}")[0])
            time.sleep(0.1)
        agent.sort()
        module.sort()
        return {
            "scripts": self.scripts, "edits": edits, "start_ms": self.server.start_ms,
            "p50_ms": agent[len(agent) // 2], "max_ms": agent[-1],
            "module_p50_ms": module[len(module) // 2], "module_max_ms": module[-1],
        }
