# SPDX-License-Identifier: Apache-2.0
"""A data folder with a past: turns that the server made, multiplied in its database until they are enough."""

import contextlib
import shutil
import sqlite3

from .measure import drive, rightly
from .process import Server, stop

# As many turns are real; each row that they wrote is copied. The audit trail, a chain of hashes, stays as it is.
REAL_TURNS = 500
# What makes a row another one, by table and column; :copy counts from 1, and the rest is by how much all real rows
# together move a key. Ids begin with eight digits of their time (UUIDv7): copies are older, as a past is, and in order.
MESSAGE_KEY = "{0} + ((:copy * :sessions) << 24)"
RUN_ID = "printf('%08x', :first_time - :copies + :copy - 1) || substr({0}, 9)"
CHANGES = {
    "sessions": {"id": "{0} + :copy * :sessions", "name": "{0} || '.' || :copy"},
    "messages": {"key": MESSAGE_KEY, "id": RUN_ID, "run_id": RUN_ID},
    "runs": {
        "seq": "{0} + :copy * :runs", "id": RUN_ID, "session": "{0} + :copy * :sessions", "question": MESSAGE_KEY,
        "answer": MESSAGE_KEY, "end_event": "{0} + :copy * :events",
    },
    "events": {"number": "{0} + :copy * :events", "run_id": RUN_ID},
    "journal": {"run_id": RUN_ID},
}
# What the start of a server tells is no turn's.
REAL_ROWS = {"events": "run_id IS NOT NULL"}


def is_possible(turns):
    return turns <= REAL_TURNS or turns % REAL_TURNS == 0


def make(options, load, provider, turns, session_turns, folder):
    """Fills `folder`, which is not there yet, with the data of that many turns, which have to be possible."""
    real = min(turns, REAL_TURNS)
    server = Server(options, provider)
    try:
        rightly(drive(load, server.port, options.chat_path, "-n", real, "-k", session_turns), server, provider)
        stop(server.process)
        shutil.move(f"{server.folder}/data", folder)
    finally:
        server.close()
    if turns > real:
        with contextlib.closing(sqlite3.connect(f"{folder}/perigee.sqlite", isolation_level=None)) as database:
            multiply(database, turns // real - 1)


def count(folder, table):
    with contextlib.closing(sqlite3.connect(f"{folder}/perigee.sqlite")) as database:
        return database.execute(f"SELECT count(*) FROM {table}").fetchone()[0]


def multiply(database, copies):
    """Adds each row of a turn so many times."""
    database.execute("PRAGMA synchronous = OFF")
    database.execute("PRAGMA cache_size = -262144")
    sessions, runs, events, first_time = database.execute(
        "SELECT (SELECT max(id) FROM sessions), (SELECT max(seq) FROM runs), (SELECT max(number) FROM events),"
        " (SELECT min(substr(id, 1, 8)) FROM runs)").fetchone()
    numbers = {
        "sessions": sessions, "runs": runs, "events": events, "first_time": int(first_time, 16), "copies": copies}
    inserts = [insert(database, table, changes) for table, changes in CHANGES.items()]
    database.execute("BEGIN")
    for copy in range(1, copies + 1):
        for statement in inserts:
            database.execute(statement, numbers | {"copy": copy})
    database.execute("COMMIT")


def insert(database, table, changes):
    """The statement that adds one copy of the table's real rows, which it sets aside."""
    database.execute(f"CREATE TEMP TABLE real_{table} AS SELECT * FROM {table} WHERE {REAL_ROWS.get(table, 'true')}")
    columns = [row[1] for row in database.execute(f"PRAGMA table_info({table})")]
    values = ", ".join(changes.get(column, "{0}").format(column) for column in columns)
    return f"INSERT INTO {table} ({', '.join(columns)}) SELECT {values} FROM real_{table}"
