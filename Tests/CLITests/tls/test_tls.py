# SPDX-License-Identifier: Apache-2.0
"""A provider whose certificate a private authority has signed.

PERIGEE_BINARY is the program, PERIGEE_WORKSPACE a folder with the agent `plain`, which has no stub.
"""
import http.server
import json
import os
import ssl
import subprocess
import tempfile
import threading
import unittest

import trustme

# Taken out: the program refuses variables of its own that it does not know.
BINARY, WORKSPACE = os.environ.pop("PERIGEE_BINARY"), os.environ.pop("PERIGEE_WORKSPACE")
REPLY = {
    "id": "1", "object": "chat.completion", "created": 1, "model": "m",
    "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "Good day."}}],
    "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2},
}


class Provider(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        body = json.dumps(REPLY).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments):
        pass


class PrivateAuthority(unittest.TestCase):
    def setUp(self):
        authority = trustme.CA()
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert("localhost").configure_cert(context)
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Provider)
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.addCleanup(self.server.server_close)
        self.addCleanup(self.server.shutdown)
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.certificate = os.path.join(self.folder.name, "authority.pem")
        authority.cert_pem.write_to_path(self.certificate)

    def ask(self, **changes):
        environment = os.environ | {
            "OPENAI_BASE_URL": f"https://localhost:{self.server.server_port}/v1", "OPENAI_API_KEY": "k"}
        environment.pop("SSL_CERT_FILE", None)
        return subprocess.run(
            [BINARY, "run", "plain", "--workspace", WORKSPACE, "--data", self.folder.name, "--input", "hello"],
            env=environment | changes, stdin=subprocess.DEVNULL, capture_output=True, text=True)

    def test_is_trusted_when_it_is_named(self):
        trusting = self.ask(SSL_CERT_FILE=self.certificate)
        self.assertEqual((trusting.returncode, trusting.stdout.strip()), (0, "Good day."), trusting.stderr)

    def test_is_not_trusted_otherwise(self):
        refusing = self.ask()
        self.assertEqual((refusing.returncode, refusing.stdout), (1, ""), refusing.stderr)
        self.assertIn("certificate", refusing.stderr)

    def test_an_empty_name_is_none(self):
        # The system's authorities were asked, and no file that is not there.
        self.assertRegex(self.ask(SSL_CERT_FILE="").stderr, "issuer|self.signed")
