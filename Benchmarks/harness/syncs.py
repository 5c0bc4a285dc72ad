# SPDX-License-Identifier: Apache-2.0
"""How often a server makes the disk keep what it wrote: its fdatasync calls between two moments.

Source of the control commands: perf-stat(1), --control. Of a checkpoint SQLite syncs the log, the database, and the new
log's first page: https://www.sqlite.org/wal.html and walCheckpoint, walFrames in wal.c.
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

SYNCS_OF_A_CHECKPOINT = 3
EVENTS = ("syscalls:sys_enter_fdatasync", "syscalls:sys_enter_fsync")


def counter(server, file):
    """Counts for a server that runs, by perf or else strace, writing to `file`; None where there is neither."""
    if PerfCounter.is_possible():
        return PerfCounter(server.pid, file)
    return StraceCounter(server.pid, file) if shutil.which("strace") else None


def sync_us(folder, times=100):
    """What one fdatasync of 16 KB more takes in a folder, in microseconds; the median."""
    taken = []
    with tempfile.TemporaryFile(dir=folder) as file:
        for _ in range(times):
            os.write(file.fileno(), bytes(16384))
            begin = time.monotonic()
            os.fdatasync(file.fileno())
            taken.append(time.monotonic() - begin)
    return statistics.median(taken) * 1e6


def database_descriptors(pid):
    """Where a process has its host database open, the log apart."""
    for name in os.listdir(f"/proc/{pid}/fd"):
        try:
            if os.readlink(f"/proc/{pid}/fd/{name}").endswith("/perigee.sqlite"):
                yield int(name)
        except FileNotFoundError:
            continue


class PerfCounter:
    """Takes nothing that could be measured from who is counted."""

    is_slow = False

    def __init__(self, pid, file):
        self.file, self.commands = file, ["enable", "disable"]
        of_database = " || ".join(f"fd == {number}" for number in database_descriptors(pid))
        control, self.control = os.pipe()
        self.answers, answers = os.pipe()
        self.process = subprocess.Popen(
            ["perf", "stat", "-x", ",", "-o", file, "-p", str(pid), "--delay=-1", f"--control=fd:{control},{answers}",
             *(word for event in EVENTS for word in ("-e", event)), "-e", EVENTS[0], "--filter", of_database],
            pass_fds=(control, answers), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        os.close(control)
        os.close(answers)

    @staticmethod
    def is_possible():
        if not shutil.which("perf"):
            return False
        command = ["perf", "stat", "-e", ",".join(EVENTS), "--", "true"]
        return subprocess.run(command, capture_output=True, check=False).returncode == 0

    def toggle(self):
        """Begins to count, and ends."""
        os.write(self.control, f"{self.commands.pop(0)}\n".encode())
        if not os.read(self.answers, 16).startswith(b"ack"):
            raise BenchmarkError("perf stat does not count")

    def counts(self):
        """All syncs, and those of checkpoints' database among them."""
        self.close()
        with open(self.file, encoding="utf-8") as file:
            counted = [int(row[0]) for row in csv.reader(file) if row and row[0].isdigit()]
        if len(counted) != 3:
            raise BenchmarkError("perf stat did not count")
        return counted[0] + counted[1], counted[2]

    def close(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            self.process.wait()
            os.close(self.control)
            os.close(self.answers)


class StraceCounter:
    """Halves the speed of who is counted: nothing else is to be measured meanwhile."""

    is_slow = True

    def __init__(self, pid, file):
        self.pid, self.file, self.process = pid, file, None
        self.of_database = set(database_descriptors(pid))

    def toggle(self):
        """Begins to count, and ends."""
        if self.process:
            self.close()
            return
        self.process = subprocess.Popen(
            ["strace", "-f", "-e", "trace=fdatasync,fsync", "-o", self.file, "-p", str(self.pid)],
            stderr=subprocess.PIPE, text=True)
        if "attached" not in self.process.stderr.readline():
            raise BenchmarkError("strace does not count")

    def counts(self):
        """All syncs, and those of checkpoints' database among them."""
        with open(self.file, encoding="utf-8") as file:
            synced = [int(number) for number in re.findall(r"\bf(?:data)?sync\((\d+)", file.read())]
        return len(synced), sum(number in self.of_database for number in synced)

    def close(self):
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            self.process.communicate()
