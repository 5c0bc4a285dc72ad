# SPDX-License-Identifier: Apache-2.0
"""A server that speaks HTTPS itself.

PERIGEE_BINARY is the program, PERIGEE_WORKSPACE a folder with the agent `plain`, which answers with what it was told.
"""
import base64
import http.client
import json
import os
import re
import signal
import socket
import ssl
import subprocess
import tempfile
import unittest
import warnings

import trustme

# Taken out: the program refuses variables of its own that it does not know.
BINARY, WORKSPACE = os.environ.pop("PERIGEE_BINARY"), os.environ.pop("PERIGEE_WORKSPACE")


class HTTPS(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        self.authority = trustme.CA()
        self.issue()

    def path(self, name):
        return os.path.join(self.folder, name)

    def issue(self):
        issued = self.authority.issue_cert("localhost", "127.0.0.1")
        issued.private_key_pem.write_to_path(self.path("key.pem"))
        with open(self.path("certificate.pem"), "wb") as file:
            for part in issued.cert_chain_pems:
                file.write(part.bytes())

    def command(self, *, certificate="certificate.pem", key="key.pem"):
        return [BINARY, "serve", "--workspace", WORKSPACE, "--data", self.path("data"), "--port", "0"], os.environ | {
            "PERIGEE_SERVER_TLS_CERTIFICATE_FILE": self.path(certificate),
            "PERIGEE_SERVER_TLS_KEY_FILE": self.path(key)}

    def start(self):
        command, environment = self.command()
        server = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        self.addCleanup(server.stdout.close)
        self.addCleanup(server.wait)
        self.addCleanup(server.terminate)
        line = server.stdout.readline()
        self.port = int(re.search(r"https://127\.0\.0\.1:(\d+)", line)[1])
        return server

    def context(self, **versions):
        context = ssl.create_default_context()
        self.authority.configure_trust(context)
        for name, version in versions.items():
            setattr(context, name, version)
        return context

    def connect(self, **versions):
        raw = socket.create_connection(("127.0.0.1", self.port), timeout=30)
        self.addCleanup(raw.close)
        connection = self.context(**versions).wrap_socket(raw, server_hostname="localhost")
        self.addCleanup(connection.close)
        return connection

    def certificate(self):
        return self.connect().getpeercert(binary_form=True)

    def test_chat(self):
        self.start()
        client = http.client.HTTPSConnection("localhost", self.port, context=self.context(), timeout=30)
        self.addCleanup(client.close)
        for number in range(3):
            client.request(
                "POST", "/v1/agents/plain/chat", json.dumps({"message": f"hi {number}"}),
                {"Content-Type": "application/json"})
            answer = client.getresponse()
            self.assertEqual(json.load(answer)["response"], f"hi {number}")
            self.assertEqual(answer.headers["Strict-Transport-Security"], "max-age=31536000")
        client.request(
            "POST", "/v1/agents/plain/chat", json.dumps({"message": "hi", "stream": True}),
            {"Content-Type": "application/json"})
        self.assertIn(b"event: message.completed", client.getresponse().read())

    def test_socket(self):
        self.start()
        connection = self.connect()
        connection.sendall(
            b"GET /v1/agents/plain/ws HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: " + base64.b64encode(bytes(16)) + b"\r\n\r\n")
        self.assertTrue(connection.recv(12).startswith(b"HTTP/1.1 101"))

    def test_renewal(self):
        server = self.start()
        kept, before = self.connect(), self.certificate()
        # Files that do not belong together change nothing.
        os.rename(self.path("key.pem"), self.path("old.pem"))
        trustme.CA().issue_cert("localhost").private_key_pem.write_to_path(self.path("key.pem"))
        server.send_signal(signal.SIGHUP)
        self.assertEqual(self.certificate(), before)
        self.issue()
        server.send_signal(signal.SIGHUP)
        while self.certificate() == before:
            self.assertIsNone(server.poll())
        kept.sendall(b"GET /health/live HTTP/1.1\r\nHost: localhost\r\n\r\n")
        self.assertTrue(kept.recv(15).startswith(b"HTTP/1.1 200"))

    def test_versions(self):
        self.start()
        self.assertEqual(self.connect().version(), "TLSv1.3")
        self.assertEqual(self.connect(maximum_version=ssl.TLSVersion.TLSv1_2).version(), "TLSv1.2")
        old = self.context()
        old.set_ciphers("ALL:@SECLEVEL=0")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            old.minimum_version = old.maximum_version = ssl.TLSVersion.TLSv1_1
        with self.assertRaises(OSError):
            raw = socket.create_connection(("127.0.0.1", self.port), timeout=30)
            self.addCleanup(raw.close)
            old.wrap_socket(raw, server_hostname="localhost")

    def test_plain(self):
        self.start()
        with socket.create_connection(("127.0.0.1", self.port), timeout=30) as plain:
            plain.sendall(b"GET /health/live HTTP/1.1\r\nHost: localhost\r\n\r\n")
            try:
                self.assertNotIn(b"HTTP", plain.recv(100))
            except ConnectionResetError:
                pass

    def test_stop(self):
        server = self.start()
        connection = self.connect()
        connection.sendall(b"GET /health/live HTTP/1.1\r\nHost: localhost\r\n\r\n")
        answer = b""
        while not answer.endswith(b"}"):
            answer += connection.recv(4096)
        server.terminate()
        # Told that no more comes, not cut off.
        self.assertEqual(connection.recv(100), b"")
        self.assertEqual(server.wait(60), 0)

    def test_refusals(self):
        with open(self.path("none.pem"), "w") as file:
            file.write("no certificate\n")
        trustme.CA().issue_cert("localhost").private_key_pem.write_to_path(self.path("other.pem"))
        for files, words in [
            ({"certificate": "missing.pem"}, "the TLS certificate"), ({"certificate": "none.pem"}, "the TLS certificate"),
            ({"key": "none.pem"}, "the TLS key"), ({"key": "other.pem"}, "does not belong to the certificate"),
        ]:
            command, environment = self.command(**files)
            ended = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)
            self.assertEqual(ended.returncode, 2, ended.stderr)
            self.assertIn(words, ended.stderr)
            self.assertIn("hint: server.tls.certificate_file", ended.stderr)
            self.assertNotIn("PRIVATE KEY", ended.stderr)


if __name__ == "__main__":
    unittest.main()
