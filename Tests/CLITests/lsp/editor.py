# SPDX-License-Identifier: Apache-2.0
"""An editor on a workspace of its own: pygls's client, and what the tests ask of it."""
import asyncio
import contextlib
import os
import pathlib
import tempfile
import unittest

from lsprotocol import types
from pygls.exceptions import JsonRpcException
from pygls.lsp.client import LanguageClient

BINARY = os.environ["BINARY"]
# What is waited for comes in a moment; a machine may be slow.
PATIENCE = 120

NOTES = """return {
  add_note = {
    description = "Adds a note.",
    parameters = { title = { type = "string", description = "what it says" } },
    run = function(_, args) return args.title end,
  },
}
"""
FILES = {
    "tools/notes.lua": NOTES,
    "agents/notes.lua": 'return { description = "Keeps notes.", prompt = "p", tools = { "add_note" } }\n',
    "lib/money.lua": 'return { sign = "€" }\n',
}


def position(text, offset, encoding="utf-16"):
    """Position of the character at an index of a text."""
    before = text[:offset]
    line = before.count("\n")
    last = before[before.rfind("\n") + 1 :]
    units = len(last.encode("utf-16-le")) // 2 if encoding == "utf-16" else len(last.encode("utf-8"))
    return types.Position(line=line, character=units)


def applied(text, edits):
    """A text after the edits of a server that counts in UTF-16."""
    lines = text.split("\n")

    def offset(place):
        line = lines[place.line].encode("utf-16-le")[: place.character * 2].decode("utf-16-le")
        return sum(len(before) + 1 for before in lines[: place.line]) + len(line)

    for edit in sorted(edits, key=lambda edit: offset(edit.range.start), reverse=True):
        text = text[: offset(edit.range.start)] + edit.new_text + text[offset(edit.range.end) :]
    return text


class Client(LanguageClient):
    def __init__(self):
        super().__init__("tests", "1")
        self.told = {}
        self.registrations = []
        self.changed = asyncio.Event()

        @self.feature(types.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS)
        def publish(parameters: types.PublishDiagnosticsParams):
            self.told[parameters.uri] = parameters
            self.changed.set()

        @self.feature(types.CLIENT_REGISTER_CAPABILITY)
        def register(parameters: types.RegistrationParams):
            self.registrations += parameters.registrations
            self.changed.set()

    async def until(self, condition):
        """Waits until something that the server says makes it true."""
        async with asyncio.timeout(PATIENCE):
            while not condition():
                self.changed.clear()
                await self.changed.wait()


class EditorTest(unittest.IsolatedAsyncioTestCase):
    """A test with a running server on a folder with `files`."""

    files = FILES
    encodings = None
    watches = True
    document_changes = False
    arguments = []

    async def asyncSetUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = pathlib.Path(os.path.realpath(folder.name))
        for path, text in self.files.items():
            self.write(path, text)
        self.versions = {}
        self.texts = {}
        self.client = Client()
        await self.client.start_io(BINARY, "lsp", *(word.format(root=self.root) for word in self.arguments))
        self.server = self.client._server
        self.answer = await self.client.initialize_async(
            types.InitializeParams(
                capabilities=types.ClientCapabilities(
                    general=types.GeneralClientCapabilities(position_encodings=self.encodings),
                    workspace=types.WorkspaceClientCapabilities(
                        workspace_edit=types.WorkspaceEditClientCapabilities(document_changes=self.document_changes),
                        did_change_watched_files=types.DidChangeWatchedFilesClientCapabilities(
                            dynamic_registration=self.watches
                        )
                    ),
                    text_document=types.TextDocumentClientCapabilities(
                        document_symbol=types.DocumentSymbolClientCapabilities(
                            hierarchical_document_symbol_support=True
                        )
                    ),
                ),
                root_uri=self.uri(""),
            )
        )
        self.client.initialized(types.InitializedParams())

    async def asyncTearDown(self):
        # A test that has ended the session itself is answered with an error.
        with contextlib.suppress(JsonRpcException):
            if self.server.returncode is None:
                await self.client.shutdown_async(None)
        if self.server.returncode is None:
            self.client.exit(None)
        await self.client.stop()

    # The folder and its files

    def write(self, path, text):
        (self.root / path).parent.mkdir(parents=True, exist_ok=True)
        (self.root / path).write_text(text, encoding="utf-8")

    def uri(self, path):
        return (self.root / path).as_uri() if path else self.root.as_uri()

    def open(self, path, text=None):
        """Opens a file; a bar in its text is the cursor, whose position comes back."""
        text = self.files[path] if text is None else text
        cursor = text.find("|")
        text = text.replace("|", "", 1)
        self.texts[path], self.versions[path] = text, 1
        self.client.text_document_did_open(
            types.DidOpenTextDocumentParams(
                text_document=types.TextDocumentItem(
                    uri=self.uri(path), language_id="lua", version=1, text=text
                )
            )
        )
        return position(text, max(cursor, 0), self.encoding)

    @property
    def encoding(self):
        return self.answer.capabilities.position_encoding

    def change(self, path, old, new):
        """Types in the editor: one piece of the text for another."""
        text = self.texts[path]
        start = text.index(old)
        self.texts[path] = text.replace(old, new, 1)
        self.versions[path] += 1
        span = types.Range(
            start=position(text, start, self.encoding), end=position(text, start + len(old), self.encoding)
        )
        self.client.text_document_did_change(
            types.DidChangeTextDocumentParams(
                text_document=types.VersionedTextDocumentIdentifier(
                    uri=self.uri(path), version=self.versions[path]
                ),
                content_changes=[types.TextDocumentContentChangePartial(range=span, text=new)],
            )
        )

    def close(self, path):
        self.client.text_document_did_close(
            types.DidCloseTextDocumentParams(text_document=self.document(path))
        )

    def tell_changed(self, *paths):
        """Says that files changed on the disk."""
        changed = types.FileChangeType.Changed
        self.client.workspace_did_change_watched_files(
            types.DidChangeWatchedFilesParams(
                changes=[types.FileEvent(uri=self.uri(path), type=changed) for path in paths]
            )
        )

    def document(self, path):
        return types.TextDocumentIdentifier(uri=self.uri(path))

    # What the server says

    async def findings(self, path, *codes, version=None):
        """Waits until a file has exactly these findings."""
        uri = self.uri(path)

        def is_told():
            told = self.client.told.get(uri)
            if told is None:
                return not codes and version is None and bool(self.client.told)
            return (version is None or told.version == version) and [
                item.code for item in told.diagnostics
            ] == list(codes)

        try:
            await self.client.until(is_told)
        except TimeoutError:
            self.fail(f"{path} should have {codes}; told: {self.client.told.get(uri)}")
        return self.client.told[uri].diagnostics if uri in self.client.told else []

    def at(self, path, place):
        return {"text_document": self.document(path), "position": place}

    async def completions(self, path, text):
        place = self.open(path, text)
        answer = await self.client.text_document_completion_async(
            types.CompletionParams(**self.at(path, place))
        )
        return answer.items

    async def hover(self, path, text):
        place = self.open(path, text)
        answer = await self.client.text_document_hover_async(types.HoverParams(**self.at(path, place)))
        return answer.contents.value if answer else None
