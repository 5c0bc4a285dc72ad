# SPDX-License-Identifier: Apache-2.0
"""Ten steps, one after another, in LangGraph with its SQLite checkpointer; prints figures as JSON.

Takes the number of workflows. The database lies in memory, as the server's does in the benchmark.
"""

import json
import os
import sqlite3
import sys
import tempfile
import time
from typing import TypedDict

from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.graph import END, START, StateGraph


class State(TypedDict):
    sum: int


def add(state):
    return {"sum": state["sum"] * 2}


def main():
    count = int(sys.argv[1])
    graph = StateGraph(State)
    previous = START
    for step in range(10):
        name = f"s{step + 1}"
        graph.add_node(name, add)
        graph.add_edge(previous, name)
        previous = name
    graph.add_edge(previous, END)
    root = "/dev/shm" if os.path.isdir("/dev/shm") else None
    with tempfile.TemporaryDirectory(dir=root) as folder:
        connection = sqlite3.connect(f"{folder}/checkpoints.sqlite", check_same_thread=False)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
        app = graph.compile(checkpointer=SqliteSaver(connection))

        def run(number):
            answer = app.invoke({"sum": 1}, {"configurable": {"thread_id": str(number)}})
            assert answer["sum"] == 1024

        for number in range(50):
            run(number)
        used, started = time.process_time(), time.monotonic()
        for number in range(50, 50 + count):
            run(number)
        print(json.dumps({
            "per_second": count / (time.monotonic() - started),
            "cpu_ms": (time.process_time() - used) / count * 1e3,
        }))


if __name__ == "__main__":
    main()
