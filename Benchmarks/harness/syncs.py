# SPDX-License-Identifier: Apache-2.0
"""How often a server makes the disk keep what it wrote: its fdatasync calls between two moments.

Source of the control commands: perf-stat(1), --control. SQLite syncs the log once for a commit, once more for a header
that begins it anew, and once before a checkpoint copies pages; the database only when all of the log was copied:
walFrames, walCheckpoint in wal.c. Right before it copies it asks how long the database is: an fstat. The header counts
how often it was begun anew: https://www.sqlite.org/fileformat2.html#walformat
"""

import csv
import os
import re
import shutil
import signal
import statistics
import subprocess
import tempfile
import time

from .process import BenchmarkError

DATABASE = "perigee.sqlite"
LOG = f"{DATABASE}-wal"


def counter():
    """The class that counts: by perf, or else strace; None where there is neither."""
    return next((kind for kind in (PerfCounter, StraceCounter) if kind.is_possible()), None)


def sync_us(folder, times=100):
    """What one fdatasync of 16 KB takes in a folder, in a file that keeps its size, in microseconds; the median."""
    taken, data = [], bytes(16384)
    with tempfile.TemporaryFile(dir=folder, buffering=0) as file:
        for _ in range(times):
            file.write(data)
        os.fsync(file.fileno())
        for number in range(times):
            os.pwrite(file.fileno(), data, number * len(data))
            begin = time.monotonic()
            os.fdatasync(file.fileno())
            taken.append(time.monotonic() - begin)
    return statistics.median(taken) * 1e6


def descriptors(pid, file):
    """Where a process has a file of that name open."""
    for number in os.listdir(f"/proc/{pid}/fd"):
        try:
            if os.path.basename(os.readlink(f"/proc/{pid}/fd/{number}")) == file:
                yield number
        except FileNotFoundError:
            continue


class Counter:
    """What both have in common: how often the log was begun anew, and what follows from the calls."""

    def __init__(self, server):
        self.server, self.file, self.beginnings = server, f"{server.folder}/syncs", []

    def toggle(self):
        """Begins to count, and ends."""
        with open(f"{self.server.folder}/data/{LOG}", "rb") as log:
            self.beginnings.append(int.from_bytes(log.read(16)[12:], "big"))

    def told(self, syncs, of_log, of_database, copies):
        """All syncs, and how many of them are commits; None for these where copies of checkpoints went unseen."""
        begun = self.beginnings[1] - self.beginnings[0]
        return syncs, of_log - begun - copies if copies >= of_database else None


class PerfCounter(Counter):
    """Takes nothing that could be measured from who is counted."""

    is_slow = False
    SYNC = "syscalls:sys_enter_fdatasync"
    ALL = ("syscalls:sys_enter_fsync", SYNC)
    # Which of them a C library calls for fstat is its own business.
    LENGTHS = (("syscalls:sys_enter_newfstat", "fd"), ("syscalls:sys_enter_newfstatat", "dfd"))

    def __init__(self, server):
        super().__init__(server)
        self.commands = ["enable", "disable"]

        def of(file, event, field="fd"):
            these = " || ".join(f"{field} == {number}" for number in descriptors(server.pid, file))
            return "-e", event, "--filter", these

        events = [word for event in self.ALL for word in ("-e", event)]
        events += [*of(LOG, self.SYNC), *of(DATABASE, self.SYNC)]
        events += [word for event, field in self.LENGTHS for word in of(DATABASE, event, field)]
        control, self.control = os.pipe()
        self.answers, answers = os.pipe()
        self.process = subprocess.Popen(
            ["perf", "stat", "-x", ",", "-o", self.file, "-p", str(server.pid), "--delay=-1",
             f"--control=fd:{control},{answers}", *events],
            pass_fds=(control, answers), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        os.close(control)
        os.close(answers)

    @classmethod
    def is_possible(cls):
        if not shutil.which("perf"):
            return False
        events = ",".join([*cls.ALL, *(event for event, _ in cls.LENGTHS)])
        command = ["perf", "stat", "-e", events, "--", "true"]
        return subprocess.run(command, capture_output=True, check=False).returncode == 0

    def toggle(self):
        os.write(self.control, f"{self.commands.pop(0)}\n".encode())
        if not os.read(self.answers, 16).startswith(b"ack"):
            raise BenchmarkError("perf stat does not count")
        super().toggle()

    def counts(self):
        self.close()
        with open(self.file, encoding="utf-8") as file:
            counted = [int(row[0]) for row in csv.reader(file) if row and row[0].isdigit()]
        if len(counted) != 6:
            raise BenchmarkError("perf stat did not count")
        return self.told(sum(counted[:2]), counted[2], counted[3], sum(counted[4:]))

    def close(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            self.process.wait()
            os.close(self.control)
            os.close(self.answers)


class StraceCounter(Counter):
    """Halves the speed of who is counted: nothing else is to be measured meanwhile."""

    is_slow = True
    # A process, a time, a call, and of which file: 4711 1795996800.123456 fdatasync(12</data/perigee.sqlite-wal>) = 0
    CALL = re.compile(r"^\d+ +([\d.]+) (\w+)\(\d+<(?:[^>]*/)?([^/>]*)>", re.MULTILINE)

    def __init__(self, server):
        super().__init__(server)
        self.times = []
        self.process = subprocess.Popen(
            ["strace", "-f", "-y", "-ttt", "-e", "trace=fdatasync,fsync,fstat,newfstatat", "-o", self.file,
             "-p", str(server.pid)],
            stderr=subprocess.PIPE, text=True)
        if "attached" not in self.process.stderr.readline():
            self.close()
            raise BenchmarkError("strace does not count")

    @staticmethod
    def is_possible():
        return shutil.which("strace") is not None

    def toggle(self):
        self.times.append(time.time())
        super().toggle()

    def counts(self):
        self.close()
        begin, end = self.times
        with open(self.file, encoding="utf-8") as file:
            calls = [(call, of) for at, call, of in self.CALL.findall(file.read()) if begin <= float(at) < end]
        synced = [of for call, of in calls if call.endswith("sync")]
        copies = sum(of == DATABASE for call, of in calls) - synced.count(DATABASE)
        return self.told(len(synced), synced.count(LOG), synced.count(DATABASE), copies)

    def close(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            self.process.communicate()
