# SPDX-License-Identifier: Apache-2.0
"""The processes of a measurement: what they use, as /proc tells it, and how they start and stop."""

import contextlib
import http.client
import json
import os
import re
import resource
import shutil
import signal
import socket
import subprocess
import tempfile
import time

TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")


class BenchmarkError(Exception):
    """Something that makes measuring pointless: a server that does not start, a turn that is wrong."""


def cpu_seconds(pid):
    """User and system time that a process has used, 10 ms exact."""
    with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as file:
        fields = file.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS_PER_SECOND


def threads_seconds(pid):
    """The same of the threads that run now, to the nanosecond. Source: Linux, Documentation/scheduler/sched-stats."""
    used = 0
    for task in os.scandir(f"/proc/{pid}/task"):
        with contextlib.suppress(FileNotFoundError), open(f"{task.path}/schedstat", encoding="ascii") as file:
            used += int(file.read().split()[0])
    return used / 1e9


def machine_cpu_seconds():
    """CPU time that the whole machine has used: all but idle and waiting for disks."""
    with open("/proc/stat", encoding="ascii") as file:
        user, nice, system, _, _, irq, softirq, *_ = map(int, file.readline().split()[1:])
    return (user + nice + system + irq + softirq) / TICKS_PER_SECOND


def memory_mb(pid, field):
    """`VmRSS` is what a process holds in memory now, `VmHWM` the most since `reset_peak`; in MB."""
    with open(f"/proc/{pid}/status", encoding="utf-8", errors="replace") as file:
        match = re.search(rf"^{field}:\s+(\d+) kB", file.read(), re.MULTILINE)
    return int(match.group(1)) / 1024


def reset_peak(pid):
    with open(f"/proc/{pid}/clear_refs", "w", encoding="ascii") as file:
        file.write("5")  # Source: proc(5), /proc/pid/clear_refs


def raise_file_limit():
    """A conversation holds up to two files of the server; the limit is inherited by all that is started."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def get(port, path):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()


def stop(process):
    """Ends a process that this program started: politely, then by force."""
    if process.poll() is not None:
        return
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(15)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


class Provider:
    """The model provider that the server talks to."""

    def __init__(self, binary):
        self.process = subprocess.Popen([binary], stdout=subprocess.PIPE, text=True)
        words = self.process.stdout.readline().split()
        if not words:
            raise BenchmarkError("the provider did not start")
        self.port = int(words[1])
        self.pid = self.process.pid

    def stats(self):
        return json.loads(get(self.port, "/stats")[1])

    @property
    def environment(self):
        """How a server finds it."""
        return {"OPENAI_BASE_URL": f"http://127.0.0.1:{self.port}/v1"}

    def close(self):
        stop(self.process)
        self.process.stdout.close()


class SecureProvider:
    """The same provider behind a proxy that speaks HTTP/2 over TLS; needs nghttpx and openssl."""

    STREAMS_MAX = 1000

    def __init__(self, provider):
        self.provider, self.pid = provider, provider.pid
        self.stats = provider.stats
        self.folder = tempfile.mkdtemp(prefix="perigee-bench-")
        self.port = free_port()
        key, self.certificate = f"{self.folder}/key.pem", f"{self.folder}/certificate.pem"
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", "/CN=localhost",
             "-addext", "subjectAltName=DNS:localhost", "-keyout", key, "-out", self.certificate],
            check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )
        self.process = subprocess.Popen(
            ["nghttpx", "--conf=/dev/null", "--errorlog-file=/dev/null", f"--frontend=127.0.0.1,{self.port}",
             f"--backend=127.0.0.1,{provider.port}", "--backend-connections-per-frontend=0",
             f"--frontend-http2-max-concurrent-streams={self.STREAMS_MAX}", key, self.certificate],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )
        deadline = time.monotonic() + 10
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return
            except OSError:
                if self.process.poll() is not None or time.monotonic() > deadline:
                    self.close()
                    raise BenchmarkError("nghttpx did not start") from None
                time.sleep(0.01)

    @staticmethod
    def is_possible():
        return all(map(shutil.which, ("nghttpx", "openssl")))

    @property
    def environment(self):
        return {"OPENAI_BASE_URL": f"https://localhost:{self.port}/v1", "SSL_CERT_FILE": self.certificate}

    def close(self):
        stop(self.process)
        shutil.rmtree(self.folder, ignore_errors=True)


class Server:
    """A server on a data folder of its own, ready to answer; without a provider stubs answer."""

    NO_PROVIDER = {"OPENAI_BASE_URL": "http://127.0.0.1:1/v1"}

    def __init__(self, options, provider=None, environment=None, under=(), patience=30, past=None):
        """`under`: a command that runs it, such as valgrind's; `patience`: seconds until it has to be ready;
        `past`: a data folder that it begins with a copy of.
        """
        self.port = free_port()
        self.folder = tempfile.mkdtemp(prefix="perigee-bench-", dir=options.data_root)
        if past:
            shutil.copytree(past, f"{self.folder}/data")
        command = [*under, options.binary, "serve", "--workspace", options.workspace]
        command += ["--data", f"{self.folder}/data", "--port", str(self.port)]
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("PERIGEE_")}
        environment = inherited | {"OPENAI_API_KEY": "bench"} | (environment or {})
        environment |= provider.environment if provider else self.NO_PROVIDER
        self.log = f"{self.folder}/log"
        started = time.monotonic()
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(
                command, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        self.pid = self.process.pid
        try:
            self._wait_until_ready(options.health_path, started + patience)
        except BaseException:
            self.close()
            raise
        self.start_ms = (time.monotonic() - started) * 1000

    def _wait_until_ready(self, path, deadline):
        while True:
            try:
                if get(self.port, path)[0] == 200:
                    return
            except OSError:
                pass
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise BenchmarkError(f"the server did not start:\n{self.log_tail()}")
            time.sleep(0.002)

    def log_tail(self):
        with open(self.log, encoding="utf-8", errors="replace") as file:
            return file.read()[-2000:].strip()

    def close(self):
        stop(self.process)
        shutil.rmtree(self.folder, ignore_errors=True)
