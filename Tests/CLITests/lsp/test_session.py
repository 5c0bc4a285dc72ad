# SPDX-License-Identifier: Apache-2.0
"""The protocol itself: how a session begins and ends, and what is no protocol."""
import asyncio
import json
import unittest

from lsprotocol import types
from pygls.exceptions import JsonRpcException

from editor import BINARY, PATIENCE, EditorTest


class Session(EditorTest):
    async def test_exit_after_shutdown(self):
        self.assertIsNone(await self.client.shutdown_async(None))
        self.client.exit(None)
        async with asyncio.timeout(PATIENCE):
            self.assertEqual(await self.server.wait(), 0)

    async def test_exit_without_shutdown(self):
        self.client.exit(None)
        async with asyncio.timeout(PATIENCE):
            self.assertEqual(await self.server.wait(), 1)

    async def test_what_it_can(self):
        self.assertEqual(self.answer.server_info.name, "perigee")
        self.assertEqual(self.answer.capabilities.position_encoding, "utf-16")
        self.assertEqual(
            self.answer.capabilities.text_document_sync.change, types.TextDocumentSyncKind.Incremental
        )
        self.assertTrue(self.answer.capabilities.rename_provider.prepare_provider)

    async def test_unknown_requests(self):
        with self.assertRaises(JsonRpcException) as caught:
            await self.client.text_document_formatting_async(
                types.DocumentFormattingParams(
                    text_document=self.document("agents/notes.lua"),
                    options=types.FormattingOptions(tab_size=2, insert_spaces=True),
                )
            )
        self.assertEqual(caught.exception.code, -32601)

    async def test_documents_that_are_not_open(self):
        with self.assertRaises(JsonRpcException) as caught:
            await self.client.text_document_hover_async(
                types.HoverParams(**self.at("agents/notes.lua", types.Position(0, 0)))
            )
        self.assertEqual(caught.exception.code, -32602)
        self.assertIn("is not open", caught.exception.message)

    async def test_after_shutdown(self):
        await self.client.shutdown_async(None)
        with self.assertRaises(JsonRpcException) as caught:
            await self.client.workspace_symbol_async(types.WorkspaceSymbolParams(query=""))
        self.assertEqual(caught.exception.code, -32600)

    async def test_registers_for_files(self):
        await self.client.until(lambda: self.client.registrations)
        registration = self.client.registrations[0]
        self.assertEqual(registration.method, "workspace/didChangeWatchedFiles")


class Raw(unittest.IsolatedAsyncioTestCase):
    """What no client should send."""

    async def talk(self, *messages, framed=True):
        process = await asyncio.create_subprocess_exec(
            BINARY, "lsp", stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        bodies = [m if isinstance(m, bytes) else json.dumps(m).encode() for m in messages]
        data = b"".join(b"Content-Length: %d\r\n\r\n" % len(b) + b if framed else b for b in bodies)
        async with asyncio.timeout(PATIENCE):
            out, err = await process.communicate(data)
        answers = []
        while out:
            head, out = out.split(b"\r\n\r\n", 1)
            length = int(head.split(b":")[1])
            answers.append(json.loads(out[:length]))
            out = out[length:]
        return answers, err.decode(), process.returncode

    def request(self, id, method, **params):
        return {"jsonrpc": "2.0", "id": id, "method": method, "params": params}

    def notice(self, method, **params):
        return {"jsonrpc": "2.0", "method": method, "params": params}

    async def test_before_initialize(self):
        answers, _, status = await self.talk(
            self.request(1, "textDocument/hover"), self.notice("textDocument/didOpen"), self.request(2, "shutdown"),
            self.request(3, "initialize", capabilities={}), self.request(4, "initialize", capabilities={}),
        )
        self.assertEqual([a.get("error", {}).get("code") for a in answers], [-32002, -32002, None, -32600])
        self.assertEqual([a["id"] for a in answers], [1, 2, 3, 4])
        self.assertEqual(status, 1)

    async def test_no_json(self):
        answers, errors, _ = await self.talk(b'{"jsonrpc": "2.0", "id": 1,', b"\xff", self.request(2, "initialize"))
        self.assertEqual([a.get("error", {}).get("code") for a in answers], [-32700, -32700, None])
        self.assertEqual([a["id"] for a in answers], [None, None, 2])
        self.assertIn("not JSON", errors)

    async def test_no_headers(self):
        for text in (b"hello\n", b"Content-Length: x\r\n\r\n", b"Content-Length: 99999999999\r\n\r\n"):
            answers, errors, status = await self.talk(text, framed=False)
            self.assertEqual(answers, [])
            self.assertRegex(errors, "error: the input is not the language server protocol: .+")
            self.assertIn("docs/editor.md", errors)
            self.assertEqual(status, 1)

    async def test_end_of_input(self):
        self.assertEqual((await self.talk())[2], 1)
        answers, errors, status = await self.talk(b"Content-Length: 5\r\n\r\n{", framed=False)
        self.assertIn("within a message", errors)
        self.assertEqual(status, 1)
        self.assertEqual(
            (await self.talk(self.request(1, "initialize"), self.request(2, "shutdown")))[2], 0
        )

    async def test_nobody_reads(self):
        process = await asyncio.create_subprocess_exec(
            BINARY, "lsp", stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
        )
        process._transport.get_pipe_transport(1).close()
        bodies = [self.request(1, "initialize"), self.request(2, "shutdown"), self.notice("exit")]
        for body in map(json.dumps, bodies):
            process.stdin.write(f"Content-Length: {len(body)}\r\n\r\n{body}".encode())
        async with asyncio.timeout(PATIENCE):
            self.assertEqual(await process.wait(), 0)

    async def test_cancellation(self):
        # One write: the cancellation is there before the request that it means has its turn.
        answers, _, status = await self.talk(
            self.request(1, "initialize", capabilities={}), self.request("two", "textDocument/hover"),
            self.request(3, "textDocument/hover"), self.notice("$/cancelRequest", id="two"),
            self.notice("$/cancelRequest", id=17), self.request(4, "shutdown"), self.notice("exit"),
        )
        codes = {a["id"]: a.get("error", {}).get("code") for a in answers}
        self.assertEqual(codes, {1: None, "two": -32800, 3: -32602, 4: None})
        self.assertEqual(status, 0)

    async def test_deep_and_odd_messages(self):
        answers, _, status = await self.talk(
            b"[" * 100_000, b"[]", {"jsonrpc": "2.0", "id": 1}, {"id": 2, "method": "initialize"},
            self.request(3, "initialize", capabilities=[], workspaceFolders=7, rootUri={"a": 1}),
            self.notice("textDocument/didOpen", textDocument=[]),
            self.notice("textDocument/didChange", contentChanges={}),
            self.request(4, "textDocument/completion", position="here"), self.request(5, "shutdown"), self.notice("exit"),
        )
        self.assertEqual(
            [a.get("error", {}).get("code") for a in answers],
            [-32700, -32600, -32600, -32600, None, -32602, None],
        )
        self.assertEqual(status, 0)
