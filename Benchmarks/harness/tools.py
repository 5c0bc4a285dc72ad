# SPDX-License-Identifier: Apache-2.0
"""The small C programs that a measurement needs beside the server."""

import os
import shutil
import subprocess

from .process import BenchmarkError

HERE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
ROOT = os.path.dirname(HERE)
FOLDER = f"{ROOT}/.build/bench"
SOURCES = {
    "provider": ["provider.c", "answer.c", "conversation.c", "json.c", "net.c"],
    "load": ["load.c", "events.c", "samples.c", "json.c", "net.c"],
}


def compiler():
    found = next(filter(shutil.which, ("cc", "clang", "gcc")), None)
    if not found:
        raise BenchmarkError("no C compiler; install one: apt-get install gcc libc6-dev")
    return found


def build():
    """The provider and the load generator; their paths, by their names."""
    os.makedirs(FOLDER, exist_ok=True)
    tools = {name: f"{FOLDER}/{name}" for name in SOURCES}
    for name, files in SOURCES.items():
        flags = ["-std=c11", "-O2", "-Wall", "-Wextra", "-o", tools[name]]
        subprocess.run([compiler(), *flags, *(f"{HERE}/src/{file}" for file in files)], check=True)
    return tools
