# SPDX-License-Identifier: Apache-2.0
"""What a turn takes, counted and not timed: instructions and allocations of the server under valgrind's callgrind.

Source of the file format: Valgrind manual, Callgrind Format Specification.
"""

import glob
import os
import re
import shutil
import subprocess

from .process import BenchmarkError, Server

# What the allocator hands memory out by.
ALLOCATORS = {
    "malloc", "calloc", "realloc", "aligned_alloc", "posix_memalign", "memalign", "operator new(unsigned long)",
}


def is_possible():
    return all(map(shutil.which, ("valgrind", "callgrind_control", "strip")))


def readable(binary, folder):
    """The binary without its debug information, which valgrind does not understand; names are enough."""
    path = f"{folder}/counted"
    subprocess.run(["strip", "--strip-debug", "-o", path, binary], check=True)
    return path


class CountedServer(Server):
    """A server whose instructions are counted between two moments."""

    def __init__(self, options, provider):
        self.counts = f"{options.data_root}/perigee-bench-counts-{os.getpid()}"
        super().__init__(
            options, provider,
            # The same order of dictionaries in each process; nothing is decided by a clock that valgrind slows down.
            environment={"SWIFT_DETERMINISTIC_HASHING": "1"},
            under=["valgrind", "--tool=callgrind", "--instr-atstart=no", f"--callgrind-out-file={self.counts}"],
            patience=180,
        )

    def count(self, body):
        """Instructions and allocations of all threads while `body` runs, and the file that tells where."""
        self._control("-i", "on")
        body()
        self._control("-i", "off")
        self._control("--dump")
        files = sorted(glob.glob(f"{self.counts}.*"), key=os.path.getmtime)
        if not files:
            raise BenchmarkError("valgrind wrote no counts")
        return *read(files[-1]), files[-1]

    def _control(self, *arguments):
        done = subprocess.run(
            ["callgrind_control", *arguments, str(self.pid)], capture_output=True, text=True, check=False
        )
        if done.returncode != 0 or "Error" in done.stdout + done.stderr:
            raise BenchmarkError(f"callgrind_control: {done.stdout}{done.stderr}")

    def close(self):
        super().close()
        for file in glob.glob(f"{self.counts}*"):
            os.remove(file)


def read(path):
    """All instructions of a file of counts, and the calls of the allocators."""
    instructions = allocations = 0
    names, callee = {}, None
    with open(path, encoding="utf-8", errors="replace") as file:
        for line in file:
            if line.startswith("cfn=") or line.startswith("fn="):
                match = re.match(r"c?fn=\((\d+)\)(?: (.*))?", line)
                if match.group(2):
                    names[match.group(1)] = match.group(2).strip()
                if line.startswith("cfn="):
                    callee = names.get(match.group(1), "").partition("'")[0]
            elif line.startswith("calls=") and callee in ALLOCATORS:
                allocations += int(line[6:].split()[0])
            elif line.startswith(("totals:", "summary:")):
                instructions = max(instructions, int(line.split()[1]))
    if instructions == 0:
        raise BenchmarkError(f"no instructions were counted in {path}")
    return instructions, allocations
