# SPDX-License-Identifier: Apache-2.0
"""Completion, hover, places, outlines and quick fixes, also in text that is not saved and does not parse."""
from lsprotocol import types

from editor import EditorTest, applied


class Completion(EditorTest):
    def item(self, items, label):
        found = [item for item in items if item.label == label]
        self.assertEqual(len(found), 1, f"{label} in {[item.label for item in items]}")
        return found[0]

    async def test_host(self):
        items = await self.completions("agents/a.lua", "return { run = function() local page = http.|\n")
        get = self.item(items, "get")
        self.assertEqual(get.kind, types.CompletionItemKind.Function)
        self.assertIn("http.get(url: string", get.detail)
        self.assertIn("Needs `access = { http", get.documentation.value)

    async def test_options(self):
        items = await self.completions("agents/a.lua", 'return { run = function() http.get("u", { | }) end }')
        self.assertEqual(self.item(items, "timeout").text_edit.new_text, "timeout = ")

    async def test_fields(self):
        items = await self.completions("agents/a.lua", 'return { prompt = "p", descr| }')
        self.assertEqual(self.item(items, "description").kind, types.CompletionItemKind.Field)
        self.assertNotIn("prompt", [item.label for item in items])
        items = await self.completions("tools/b.lua", "return { t = { | } }")
        self.item(items, "parameters")
        items = await self.completions("evals/e.lua", "return { { | } }")
        self.item(items, "turns")

    async def test_context(self):
        items = await self.completions("agents/a.lua", "return { prompt = function(ctx) return ctx.| end }")
        self.assertEqual([item.label for item in items], ["user", "session", "run", "input", "env"])

    async def test_tools(self):
        # Of a file that is open and not saved, too.
        self.open("tools/more.lua", 'return { find_note = { description = "Finds.", run = function() end } }')
        for text in ('return { tools = { "|" } }', 'return { run = function() tools.call("|', 'return { tools = { "add_note", \'|'):
            items = await self.completions("agents/a.lua", text)
            self.assertEqual([item.label for item in items], ["find_note", "add_note"])
            add = self.item(items, "add_note")
            self.assertEqual(add.detail, "add_note(title: string)")
            self.assertIn("Adds a note.", add.documentation.value)
        items = await self.completions(
            "evals/e.lua", 'return { { turns = { { expect = { tool_called = { name = "|" } } } } } }'
        )
        self.item(items, "add_note")

    async def test_agents_and_modules(self):
        items = await self.completions("agents/a.lua", 'return { agents = { "|" } }')
        self.assertEqual(self.item(items, "notes").documentation.value, "Keeps notes.")
        items = await self.completions("agents/b.lua", 'local money = require "lib.|')
        self.assertEqual([item.label for item in items], ["lib.money"])

    async def test_names(self):
        items = await self.completions("lib/a.lua", "local price = 1\nlocal function f(amount)\n  return |")
        labels = [item.label for item in items]
        for name in ("price", "amount", "f", "http", "pairs", "not"):
            self.assertIn(name, labels)

    async def test_edit(self):
        # After characters that UTF-16 counts twice; the name around the cursor is replaced.
        text = 'return { description = "😀😀", prompt = function(ctx) return ctx.us|r.name end }'
        items = await self.completions("agents/a.lua", text)
        edit = self.item(items, "user").text_edit
        self.assertIn("ctx.user.name", applied(self.texts["agents/a.lua"], [edit]))

    async def test_broken(self):
        text = "local x = = 2\nreturn {\n  prompt = function(ctx)\n    if ctx.session.|\n"
        items = await self.completions("agents/a.lua", text)
        self.item(items, "state")
        # A tools file that does not parse still says which tools it makes.
        self.open("tools/more.lua", "return { half_note = { description = \"d\", run = function( end } }")
        items = await self.completions("agents/a.lua", 'return { tools = { "|" } }')
        self.item(items, "half_note")


class Hover(EditorTest):
    async def test_host(self):
        page = await self.hover("agents/a.lua", 'return { run = function() return http.g|et("u") end }')
        self.assertIn("http.get(url: string", page)
        self.assertIn("Fetches a URL.", page)
        page = await self.hover("agents/b.lua", 'return { run = function() return htt|p.get("u") end }')
        self.assertIn("Requests to the hosts", page)
        self.assertIn("string.upper(s: string): string", await self.hover("lib/c.lua", "return string.up|per('a')"))

    async def test_fields(self):
        page = await self.hover("agents/a.lua", 'return { prompt = "p", bu|sy = "queue" }')
        self.assertIn('busy?: "queue"|"reject"|"interrupt"', page)
        page = await self.hover("agents/b.lua", "return { prompt = function(ctx) return ctx.us|er.name end }")
        self.assertIn("user: perigee.User", page)
        page = await self.hover("tools/b.lua", self.files["tools/notes.lua"].replace("args.title", "args.ti|tle"))
        self.assertIn("title: string", page)
        self.assertIn("What it says.", page)

    async def test_names(self):
        page = await self.hover("agents/a.lua", 'return { prompt = "p", tools = { "add|_note" } }')
        self.assertIn("(tool) add_note(title: string)", page)
        self.assertIn("Adds a note.", page)
        self.assertIn("`tools/notes.lua`", page)
        self.assertIn("`title: string`: what it says", page)
        page = await self.hover("agents/b.lua", 'return { prompt = "p", agents = { "no|tes" } }')
        self.assertIn("(agent) notes", page)
        self.assertIn("Keeps notes.", page)

    async def test_locals(self):
        page = await self.hover("agents/a.lua", "return { prompt = function(ctx) return ct|x.user.name end }")
        self.assertIn("(parameter) ctx: perigee.Context", page)
        page = await self.hover("agents/c.lua", 'return { prompt = "p", bus|y = "queue" }')
        self.assertIn("What a second message meanwhile does", page)
        page = await self.hover("lib/b.lua", "local function add(a, b) return a + b end\nreturn ad|d")
        self.assertIn("local function add(a, b)", page)

    async def test_findings(self):
        page = await self.hover("lib/b.lua", "local unu|sed = 1\nreturn {}")
        self.assertIn("**P111** unused local", page)

    async def test_other_files(self):
        self.assertIsNone(await self.hover("perigee.yaml", "http|: {}"))
        self.assertEqual(len(await self.completions("agents/readme.md", "htt|p")), 0)

    async def test_nothing(self):
        self.assertIsNone(await self.hover("lib/b.lua", "return 1 | + 1"))


class Places(EditorTest):
    async def definition(self, path, text):
        place = self.open(path, text)
        answer = await self.client.text_document_definition_async(types.DefinitionParams(**self.at(path, place)))
        return [(item.uri, item.range.start.line, item.range.start.character) for item in answer or []]

    async def test_definitions(self):
        tool = [(self.uri("tools/notes.lua"), 1, 2)]
        for text in (
            'return { prompt = "p", tools = { "add_|note" } }', 'return { run = function() tools.call("add_not|e") end }',
            'return { run = function() pcall(tools.call, "ad|d_note") end',
        ):
            self.assertEqual(await self.definition("agents/a.lua", text), tool)
        self.assertEqual(
            await self.definition("evals/e.lua", 'return { { turns = { { expect = { tool_called = "add_n|ote" } } } } }'), tool
        )
        self.assertEqual(
            await self.definition("agents/a.lua", 'return { run = function() agents.run("no|tes") end }'),
            [(self.uri("agents/notes.lua"), 0, 7)],
        )
        self.assertEqual(
            await self.definition("agents/a.lua", 'local m = require("lib.mon|ey")'), [(self.uri("lib/money.lua"), 0, 0)]
        )
        self.assertEqual(
            await self.definition("lib/a.lua", "local é = 1 local a = 1\nreturn function(b) local c = a| end"),
            [(self.uri("lib/a.lua"), 0, 18)],
        )
        self.assertEqual(await self.definition("lib/a.lua", 'return "noth|ing"'), [])

    async def test_unsaved_definition(self):
        self.open("tools/notes.lua", "-- new\n\n" + self.files["tools/notes.lua"])
        self.assertEqual(
            await self.definition("agents/a.lua", 'return { tools = { "add_|note" } }'), [(self.uri("tools/notes.lua"), 3, 2)]
        )

    async def test_references(self):
        place = self.open("tools/notes.lua", self.files["tools/notes.lua"].replace("add_note", "add|_note"))
        for declared, expected in ((True, ["agents/notes.lua", "tools/notes.lua"]), (False, ["agents/notes.lua"])):
            answer = await self.client.text_document_references_async(
                types.ReferenceParams(
                    **self.at("tools/notes.lua", place), context=types.ReferenceContext(include_declaration=declared)
                )
            )
            self.assertEqual(sorted(item.uri for item in answer), [self.uri(path) for path in expected])

    async def test_outline(self):
        self.open("tools/notes.lua")
        answer = await self.client.text_document_document_symbol_async(
            types.DocumentSymbolParams(text_document=self.document("tools/notes.lua"))
        )
        self.assertEqual([item.name for item in answer], ["add_note"])
        self.assertEqual([item.name for item in answer[0].children], ["description", "parameters", "run"])
        self.assertEqual(answer[0].selection_range.start, types.Position(1, 2))
        for item in answer[0].children:
            self.assertEqual(item.range.start, item.selection_range.start)


class QuickFixes(EditorTest):
    async def actions(self, path, **context):
        findings = self.client.told[self.uri(path)].diagnostics
        return await self.client.text_document_code_action_async(
            types.CodeActionParams(
                text_document=self.document(path), range=findings[0].range,
                context=types.CodeActionContext(diagnostics=findings, **context),
            )
        )

    async def test_did_you_mean(self):
        self.open("agents/a.lua", 'return { description = "😀", promt = "p" }')
        await self.findings("agents/a.lua", "W201", version=1)
        actions = await self.actions("agents/a.lua")
        self.assertEqual([(item.title, item.kind) for item in actions], [("write 'prompt'", "quickfix")])
        text = applied(self.texts["agents/a.lua"], actions[0].edit.changes[self.uri("agents/a.lua")])
        self.assertEqual(text, 'return { description = "😀", prompt = "p" }')
        self.assertFalse(await self.actions("agents/a.lua", only=["refactor"]))

    async def test_names_in_quotes(self):
        self.open("agents/a.lua", 'return { prompt = "p", tools = { "ad_note" } }')
        await self.findings("agents/a.lua", "W207", version=1)
        actions = await self.actions("agents/a.lua")
        text = applied(self.texts["agents/a.lua"], actions[0].edit.changes[self.uri("agents/a.lua")])
        self.assertIn('tools = { "add_note" }', text)

    async def test_as_fix_does(self):
        self.open("lib/a.lua", "local é = 1\nif 1 != 2 then end\nreturn {}")
        await self.client.until(lambda: self.uri("lib/a.lua") in self.client.told)
        self.change("lib/a.lua", "local é = 1\n", "")
        await self.findings("lib/a.lua", "P006", version=2)
        actions = await self.actions("lib/a.lua", only=["quickfix"])
        self.assertTrue(actions[0].is_preferred)
        text = applied(self.texts["lib/a.lua"], actions[0].edit.changes[self.uri("lib/a.lua")])
        self.assertEqual(text, "if 1 ~= 2 then end\nreturn {}")
