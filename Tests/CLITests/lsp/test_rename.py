# SPDX-License-Identifier: Apache-2.0
"""Rename: a tool in every file that names it, a local where it is in scope, and refusals that say why."""
from lsprotocol import types
from pygls.exceptions import JsonRpcException

from editor import FILES, EditorTest, applied


class Versions(EditorTest):
    """An editor that takes edits for one version of a text only."""

    document_changes = True

    async def test_versions(self):
        place = self.open("tools/notes.lua", self.files["tools/notes.lua"].replace("add_note", "|add_note"))
        answer = await self.client.text_document_rename_async(
            types.RenameParams(**self.at("tools/notes.lua", place), new_name="note")
        )
        self.assertIsNone(answer.changes)
        versions = {item.text_document.uri: item.text_document.version for item in answer.document_changes}
        self.assertEqual(versions, {self.uri("tools/notes.lua"): 1, self.uri("agents/notes.lua"): None})


class Rename(EditorTest):
    files = {
        **FILES,
        "agents/notes.lua": """local NAMES = { "add_note" }
local ADD = 'add_note'
return {
  description = "😀 says add_note",
  tools = NAMES,
  run = function(ctx)
    tools.call(ADD, {})
    local ok = pcall(tools.call, "add_note")
    llm.chat{ messages = {}, tools = { [[add_note]] } }
    return tools.call("add_note").text .. "add_note"
  end,
}
""",
        "agents/choosy.lua": """return {
  prompt = "p",
  tools = function(ctx)
    if ctx.user.name == "Ada" then return { "add_note" } end
    return {}
  end,
}
""",
        "evals/notes.lua": """return {
  { name = "n", agent = "notes", turns = {
    { user = "😀", expect = { tool_called = { name = "add_note" }, not_called = "add_note" } },
    { user = "u", expect = { { tool_called = "add_note" }, { contains = "add_note" } } },
  } },
}
""",
    }

    async def rename(self, path, place, name):
        answer = await self.client.text_document_rename_async(
            types.RenameParams(**self.at(path, place), new_name=name)
        )
        return {uri: applied(self.text(uri), edits) for uri, edits in answer.changes.items()}

    def text(self, uri):
        path = uri[len(self.root.as_uri()) + 1 :]
        return self.texts.get(path) or (self.root / path).read_text(encoding="utf-8")

    async def refused(self, path, text, name="new_name"):
        place = self.open(path, text)
        with self.assertRaises(JsonRpcException) as caught:
            await self.rename(path, place, name)
        return caught.exception.message

    async def test_tool(self):
        # From the agent that names it, whose text is not saved.
        place = self.open("agents/notes.lua", "-- é\n" + self.files["agents/notes.lua"].replace('{ "add', '{ "ad|d'))
        prepared = await self.client.text_document_prepare_rename_async(
            types.PrepareRenameParams(**self.at("agents/notes.lua", place))
        )
        self.assertEqual(prepared.placeholder, "add_note")
        self.assertEqual(prepared.range.end.character - prepared.range.start.character, len("add_note"))
        changed = await self.rename("agents/notes.lua", place, "write_note")
        self.assertEqual(
            sorted(changed),
            [self.uri(p) for p in ("agents/choosy.lua", "agents/notes.lua", "evals/notes.lua", "tools/notes.lua")],
        )
        notes = changed[self.uri("agents/notes.lua")]
        self.assertEqual(notes.count("write_note"), 5)
        for left in ("says add_note", '.. "add_note"'):
            self.assertIn(left, notes)
        self.assertEqual(notes.count("add_note"), 2)
        self.assertIn("[[write_note]]", notes)
        evals = changed[self.uri("evals/notes.lua")]
        self.assertEqual(evals.count("write_note"), 3)
        self.assertIn('contains = "add_note"', evals)
        self.assertIn('return { "write_note" }', changed[self.uri("agents/choosy.lua")])
        self.assertIn("  write_note = {", changed[self.uri("tools/notes.lua")])

    async def test_tool_from_its_key(self):
        place = self.open("tools/notes.lua", self.files["tools/notes.lua"].replace("add_note", "|add_note"))
        changed = await self.rename("tools/notes.lua", place, "write-note")
        self.assertIn('  ["write-note"] = {', changed[self.uri("tools/notes.lua")])
        self.assertIn('{ "write-note" }', changed[self.uri("agents/notes.lua")])

    async def test_files_that_are_not_open(self):
        # They are changed as they are on the disk now, whoever wrote them last.
        place = self.open("tools/notes.lua", self.files["tools/notes.lua"].replace("add_note", "|add_note"))
        await self.findings("tools/notes.lua", version=1)
        self.write("agents/choosy.lua", "-- é\n" + self.files["agents/choosy.lua"])
        self.write("agents/later.lua", 'return { prompt = "p", tools = { "add_note" } }')
        changed = await self.rename("tools/notes.lua", place, "note")
        self.assertIn('return { "note" }', changed[self.uri("agents/choosy.lua")])
        self.assertIn('{ "note" }', changed[self.uri("agents/later.lua")])

    async def test_refused_tools(self):
        tool = 'return { prompt = "p", tools = { "add_|note" } }'
        self.assertIn("is not a tool's name", await self.refused("agents/a.lua", tool, "my note"))
        self.assertIn("is not a tool's name", await self.refused("agents/a.lua", tool, ""))
        self.assertIn("is not a tool's name", await self.refused("agents/a.lua", tool, "a" * 65))
        self.assertIn("what a tools file calls its SQL", await self.refused("agents/a.lua", tool, "schema"))
        self.assertIn("tool name of the agent 'notes'", await self.refused("agents/a.lua", tool, "agent_notes"))
        self.open("tools/more.lua", 'return { other = { description = "d", run = function() end } }')
        self.assertIn("already, in tools/more.lua", await self.refused("agents/a.lua", tool, "other"))
        self.open("tools/twin.lua", 'return { add_note = { description = "d", run = function() end } }')
        self.assertIn("tools/notes.lua and in tools/twin.lua", await self.refused("agents/a.lua", tool))
        self.close("tools/twin.lua")
        self.assertIn(
            "there is no tool", await self.refused("agents/a.lua", 'return { prompt = "p", tools = { "noth|ing" } }')
        )
        # A file that does not parse may name it where nobody sees it.
        self.open("agents/b.lua", 'return { prompt = = "p", tools = { "add_note" } }')
        self.assertIn("agents/b.lua:1:19 has a syntax error", await self.refused("agents/a.lua", tool))
        self.open("agents/b.lua", 'return { prompt = "p", tools = { "add" .. "_note" } }')
        self.assertIn("agents/b.lua:1:34 puts the name together", await self.refused("agents/a.lua", tool))

    async def test_refused_others(self):
        self.assertIn(
            "rename agents/notes.lua", await self.refused("agents/a.lua", 'return { agents = { "not|es" } }')
        )
        self.assertIn("rename lib/money.lua", await self.refused("agents/a.lua", 'local m = require "lib.mon|ey"'))
        self.assertIn("host's own name", await self.refused("lib/a.lua", "return htt|p.get"))
        self.assertIn("name of the contract", await self.refused("agents/a.lua", 'return { pro|mpt = "p" }'))
        self.assertIn("no name here", await self.refused("lib/a.lua", "return 1| + 1"))
        with self.assertRaises(JsonRpcException):
            await self.client.text_document_prepare_rename_async(
                types.PrepareRenameParams(**self.at("lib/a.lua", types.Position(0, 8)))
            )

    async def test_local(self):
        text = """local function f(a)
  local é = "😀" local va|lue = a
  local g = function(value) return value end
  do local value = value + 1; g(value) end
  return value
end
return f
"""
        # Not Lua: é is no letter of a name.
        self.assertIn("syntax error", await self.refused("lib/a.lua", text))
        place = self.open("lib/a.lua", text.replace("é", "e"))
        changed = await self.rename("lib/a.lua", place, "amount")
        self.assertEqual(
            changed[self.uri("lib/a.lua")],
            """local function f(a)
  local e = "😀" local amount = a
  local g = function(value) return value end
  do local value = amount + 1; g(value) end
  return amount
end
return f
""",
        )
        for name, why in (("g", "is taken"), ("end", "is no name")):
            with self.assertRaises(JsonRpcException) as caught:
                await self.rename("lib/a.lua", place, name)
            self.assertIn(why, caught.exception.message)

    async def test_taken_locals(self):
        # Another variable of that name would be meant, here or there.
        self.assertIn("taken", await self.refused("lib/a.lua", "local o|ne = 1\nlocal two = 2\nreturn one + two", "two"))
        self.assertIn("taken", await self.refused("lib/a.lua", "local o|ne = 1\nreturn one + http", "http"))
        self.assertIn("no name", await self.refused("lib/a.lua", "local o|ne = 1\nreturn one", "1st"))
        # Every global would be looked for in it.
        self.assertIn("_ENV", await self.refused("lib/a.lua", "local o|ne = {}\nreturn one, http", "_ENV"))
        self.assertIn("_ENV", await self.refused("lib/a.lua", "local _EN|V = {}\nreturn http", "one"))
        self.assertIn("':' declares", await self.refused("lib/a.lua", "local M = {}\nfunction M:f() return sel|f end\nreturn M"))
