# SPDX-License-Identifier: Apache-2.0
"""Findings, as files are opened, typed in, saved, closed and changed elsewhere."""
import json
import os
import subprocess

from lsprotocol import types

from editor import BINARY, EditorTest, position


class Diagnostics(EditorTest):
    async def test_unsaved_text(self):
        self.open("agents/new.lua", 'return { promt = "p" }')
        findings = await self.findings("agents/new.lua", "W201", version=1)
        self.assertEqual(findings[0].severity, types.DiagnosticSeverity.Error)
        self.assertEqual(findings[0].source, "perigee")
        self.assertIn("did you mean 'prompt'?", findings[0].message)
        self.assertEqual(findings[0].range, types.Range(types.Position(0, 9), types.Position(0, 14)))
        self.change("agents/new.lua", "promt", "prompt")
        await self.findings("agents/new.lua", version=2)
        self.change("agents/new.lua", "{", "{{")
        await self.findings("agents/new.lua", "P002", version=3)
        # Nobody saved it: with its window its findings are gone.
        self.close("agents/new.lua")
        await self.findings("agents/new.lua")
        self.assertFalse((self.root / "agents/new.lua").exists())

    async def test_whole_text(self):
        self.open("lib/a.lua", "return {}")
        await self.findings("lib/a.lua", version=1)
        self.client.text_document_did_change(
            types.DidChangeTextDocumentParams(
                text_document=types.VersionedTextDocumentIdentifier(uri=self.uri("lib/a.lua"), version=2),
                content_changes=[
                    types.TextDocumentContentChangeWholeDocument(text="local x = 1\nreturn {}"),
                    types.TextDocumentContentChangePartial(
                        range=types.Range(types.Position(1, 0), types.Position(1, 0)), text="y = 1 "
                    ),
                ],
            )
        )
        findings = await self.findings("lib/a.lua", "P111", "P102", version=2)
        self.assertIn(types.DiagnosticTag.Unnecessary, findings[0].tags)

    async def test_other_files(self):
        # A file that is not open is held against the text of one that is.
        self.open("tools/notes.lua")
        await self.findings("tools/notes.lua", version=1)
        self.change("tools/notes.lua", "add_note", "write_note")
        findings = await self.findings("agents/notes.lua", "W207")
        self.assertIsNone(self.client.told[self.uri("agents/notes.lua")].version)
        self.assertIn("there is no tool 'add_note'", findings[0].message)
        self.change("tools/notes.lua", "write_note", "add_note")
        await self.findings("agents/notes.lua")

    async def test_latest_wins(self):
        self.open("lib/a.lua", "return 0")
        for number in range(200):
            self.change("lib/a.lua", f"return {number}", f"return {number + 1}")
        self.change("lib/a.lua", "return 200", "return wrong")
        await self.findings("lib/a.lua", "P101", version=202)

    async def test_disk(self):
        self.open("agents/notes.lua")
        await self.findings("agents/notes.lua", version=1)
        self.write("tools/notes.lua", "return {}")
        self.tell_changed("tools/notes.lua")
        await self.findings("agents/notes.lua", "W207")
        # What is on the disk does not count for what is open.
        self.write("agents/notes.lua", "return {")
        self.write("lib/b.lua", "return = 1")
        self.client.text_document_did_save(
            types.DidSaveTextDocumentParams(text_document=self.document("agents/notes.lua"))
        )
        await self.findings("lib/b.lua", "P001")
        await self.findings("agents/notes.lua", "W207", version=1)
        self.close("agents/notes.lua")
        await self.findings("agents/notes.lua", "P002")

    async def test_configuration(self):
        self.write("agents/ask.lua", 'return { run = function() return secrets.get("stripe") end }')
        self.open("agents/ask.lua", (self.root / "agents/ask.lua").read_text())
        self.open("perigee.yaml", "server:\n  port: many\n")
        findings = await self.findings("perigee.yaml", "C101", version=1)
        self.assertEqual(findings[0].range, types.Range(types.Position(1, 8), types.Position(1, 12)))
        self.change("perigee.yaml", "many", "8080")
        await self.findings("perigee.yaml", version=2)
        await self.findings("agents/ask.lua", "C102")
        self.change(
            "perigee.yaml", "server:", "scripts:\n  secrets: { stripe: { env: STRIPE, hosts: [api.stripe.com] } }\nserver:"
        )
        await self.findings("agents/ask.lua")

    async def test_configuration_that_is_no_file(self):
        # Who waits for its end waits for ever.
        os.mkfifo(self.root / "perigee.yaml")
        self.tell_changed("perigee.yaml")
        self.open("agents/new.lua", 'return { promt = "p" }')
        await self.findings("agents/new.lua", "W201", version=1)

    async def test_names_that_are_wrong(self):
        # The name is the disk's, whatever the text is.
        self.write("lib/Bad.lua", "return 1")
        self.tell_changed("lib/Bad.lua")
        await self.findings("lib/Bad.lua", "W101")
        self.open("lib/Bad.lua", "return 1")
        await self.findings("lib/Bad.lua", "W101", version=1)

    async def test_workspace_that_comes_back(self):
        self.open("agents/notes.lua")
        await self.findings("agents/notes.lua", version=1)
        folder = types.WorkspaceFolder(uri=self.uri(""), name="notes")
        for added, removed in (([], [folder]), ([folder], [])):
            self.client.workspace_did_change_workspace_folders(
                types.DidChangeWorkspaceFoldersParams(types.WorkspaceFoldersChangeEvent(added=added, removed=removed))
            )
        # What is open counts for it, as before.
        self.change("agents/notes.lua", "prompt", "promt")
        await self.findings("agents/notes.lua", "W201", version=2)

    async def test_files_of_no_workspace(self):
        self.open("../loose.lua", "local x = 1")
        await self.findings("../loose.lua", "P111", version=1)

    async def test_as_lint_says(self):
        self.files = {
            "agents/a.lua": 'return { prompt = "é", toolz = { "x" }, tools = { "nothing" } }\n',
            "tools/t.lua": "local a = 1\nreturn {\n  s = { description = 'd' run = 1 },\n}\n",
            "evals/e.lua": "return { { name = 'n', agent = 'b', turns = {} } }\n",
            "lib/Bad.lua": "return 1\n",
            "perigee.yaml": "serve: {}\n",
        }
        for path, text in self.files.items():
            self.write(path, text)
        lint = subprocess.run([BINARY, "lint", "--format", "json", "--workspace", self.root], capture_output=True)
        expected = sorted(
            (f["file"], f["code"], f["line"] - 1) for f in json.loads(lint.stdout)["findings"]
        )
        self.assertGreater(len(expected), 5)
        self.tell_changed(*self.files)
        self.open("agents/a.lua")

        def told():
            return sorted(
                (uri[len(self.root.as_uri()) + 1 :], item.code, item.range.start.line)
                for uri, told in self.client.told.items()
                for item in told.diagnostics
            )

        try:
            await self.client.until(lambda: told() == expected)
        except TimeoutError:
            self.assertEqual(told(), expected)


class UTF8(EditorTest):
    encodings = ["utf-16", "utf-8"]
    TEXT = 'return { description = "é😀", promt = "p" }'

    async def test_positions(self):
        self.assertEqual(self.answer.capabilities.position_encoding, "utf-8")
        self.open("agents/a.lua", self.TEXT)
        findings = await self.findings("agents/a.lua", "W201", version=1)
        self.assertEqual(findings[0].range.start, position(self.TEXT, self.TEXT.index("promt"), "utf-8"))
        self.change("agents/a.lua", "promt", "prompt")
        await self.findings("agents/a.lua", version=2)


class UTF16(EditorTest):
    encodings = ["utf-32", "utf-16"]

    async def test_positions(self):
        self.open("agents/a.lua", UTF8.TEXT)
        findings = await self.findings("agents/a.lua", "W201", version=1)
        self.assertEqual(findings[0].range.start, position(UTF8.TEXT, UTF8.TEXT.index("promt")))
        self.change("agents/a.lua", "😀", "😀😀")
        self.change("agents/a.lua", "promt", "prompt")
        await self.findings("agents/a.lua", version=3)


class OwnWatch(EditorTest):
    """An editor that tells nothing of files that change elsewhere."""

    watches = False

    async def test_disk(self):
        await self.client.until(lambda: True)
        self.open("agents/notes.lua")
        await self.findings("agents/notes.lua", version=1)
        self.assertEqual(self.client.registrations, [])
        self.write("tools/notes.lua", "return {}")
        await self.findings("agents/notes.lua", "W207")


class Inner(EditorTest):
    """A workspace below the folder that the editor has open: it is found with its first file."""

    files = {
        "readme.md": "",
        "inner/perigee.yaml": "",
        "inner/agents/a.lua": 'return { prompt = "p", tools = { "t" } }',
        "inner/agents/b.lua": "return {",
    }

    async def test_found(self):
        self.open("inner/agents/a.lua")
        await self.findings("inner/agents/a.lua", "W207", version=1)
        await self.findings("inner/agents/b.lua", "P002")


class Named(Inner):
    """A server that was told which workspace to serve tells about it at once, and about no other."""

    files = {**Inner.files, "agents/outer.lua": "return {"}

    async def asyncSetUp(self):
        self.arguments = ["--workspace", "{root}/inner"]
        await super().asyncSetUp()

    async def test_found(self):
        await self.findings("inner/agents/b.lua", "P002")
        self.open("agents/outer.lua")
        # As a file of no workspace.
        await self.findings("agents/outer.lua", "P002", version=1)
        await super().test_found()
