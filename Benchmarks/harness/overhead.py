# SPDX-License-Identifier: Apache-2.0
"""What it costs to know who asks, how often they may, what they did, and to count it."""

import http.client
import json
import os
import secrets
import shutil
import subprocess
import tempfile

from .process import BenchmarkError, Server, threads_seconds

REQUESTS = 2000
WINDOWS = 10
# Limits that are counted and never reached.
GUARDED = {
    "PERIGEE_AUTH_MODE": "jwt",
    "PERIGEE_LIMITS_REQUESTS_PER_MINUTE": "10000000",
    "PERIGEE_LIMITS_REQUESTS_PER_HOUR": "100000000",
}


def measure(options, tool):
    """Microseconds of processor time a request or a turn, by what they are for."""
    folder = tempfile.mkdtemp(prefix="perigee-bench-", dir=options.data_root)
    try:
        printed = subprocess.run([tool, folder], check=True, capture_output=True, text=True).stdout
        return json.loads(printed) | {"access_us": access(options)}
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def access(options):
    """A token of which the server knows already that it is good, and the limits of its user, in a request that does
    little else: two servers, one with both and one with neither, are asked in turns."""
    secret = {"PERIGEE_JWT_SECRET": secrets.token_urlsafe(48)}
    open_to_all, guarded = Server(options), None
    try:
        guarded = Server(options, environment=GUARDED | secret)
        fields = {"Authorization": f"Bearer {token(options, secret)}"}
        sides = [(open_to_all, {}), (guarded, fields)]
        for side in sides:
            window(*side)
        costs = [[window(*side) for side in sides] for _ in range(WINDOWS)]
        # Neighbours only ever make a window dearer.
        with_neither, with_both = map(min, zip(*costs))
        return with_both - with_neither
    finally:
        open_to_all.close()
        if guarded:
            guarded.close()


def token(options, secret):
    command = [options.binary, "token", "--workspace", options.workspace, "--user", "ada"]
    environment = os.environ | GUARDED | secret
    return subprocess.run(command, check=True, capture_output=True, text=True, env=environment).stdout.strip()


def window(server, fields):
    """Processor time of one request, in microseconds."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
    try:
        before = threads_seconds(server.pid)
        for _ in range(REQUESTS):
            connection.request("GET", "/v1/agents", headers=fields)
            answer = connection.getresponse()
            answer.read()
            if answer.status != 200:
                raise BenchmarkError(f"GET /v1/agents was answered with {answer.status}")
        return (threads_seconds(server.pid) - before) / REQUESTS * 1e6
    finally:
        connection.close()
