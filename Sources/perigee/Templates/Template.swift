// SPDX-License-Identifier: Apache-2.0
import FoundationEssentials
import HostModules

extension GeneratedFile {
  /// Writes the file below `directory`, with the folders on the way.
  ///
  /// - Returns: False when it exists and is not to be replaced.
  @discardableResult
  func write(in directory: String, replacing: Bool) throws -> Bool {
    let path = "\(directory)/\(path)"
    if !replacing, FileManager.default.fileExists(atPath: path) { return false }
    let folder = path.split(separator: "/", omittingEmptySubsequences: false).dropLast().joined(
      separator: "/")
    do {
      try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
      try Data(contents.utf8).write(to: URL(filePath: path), options: .atomic)
    } catch {
      throw CommandError(
        message: "\(path) cannot be written", hint: "check that the folder is yours", status: .bad)
    }
    return true
  }
}

/// What `init` and `new` write.
enum Template {
  static let workspace: [GeneratedFile] = [
    GeneratedFile(
      path: "perigee.yaml",
      contents: """
        # Every key is optional. The reference: docs/configuration.md, and `perigee doctor` for what is in force.
        models:
          default: gpt-4o-mini

        """),
    GeneratedFile(
      path: "agents/notes.lua",
      contents: """
        ---@type perigee.Agent
        return {
          description = "Keeps short notes.",
          tools = { "add_note", "list_notes" },

          prompt = function(ctx)
            return "You keep short notes for " .. ctx.user.name .. ". Use the tools; answer in one sentence."
          end,

          -- What it answers without a model (no OPENAI_API_KEY).
          stub = function(_, message)
            local note = message:match("^[Nn]ote:?%s+(.+)")
            if note then
              tools.call("add_note", { text = note })
              return "Noted."
            end
            local notes = tools.call("list_notes").notes
            if #notes == 0 then return "No notes yet. Try: note buy milk" end
            return "Your notes:\\n- " .. table.concat(notes, "\\n- ")
          end,
        }

        """),
    GeneratedFile(
      path: "tools/notes.lua",
      contents: """
        ---@type table<string, perigee.Tool>
        return {
          schema = [[
            create table if not exists notes (id integer primary key, user_id text not null, text text not null);
          ]],

          add_note = {
            description = "Keep a note.",
            parameters = { text = { type = "string", minLength = 1, description = "what to keep" } },
            access = { db = "write" },
            run = function(ctx, args)
              db.exec("insert into notes (user_id, text) values (?, ?)", ctx.user.id, args.text)
              return { kept = args.text }
            end,
          },

          list_notes = {
            description = "List the user's notes, oldest first.",
            access = { db = "read" },
            effect = "read",
            run = function(ctx)
              local notes = json.array({})
              for i, row in ipairs(db.query("select text from notes where user_id = ? order by id", ctx.user.id)) do
                notes[i] = row.text
              end
              return { notes = notes }
            end,
          },
        }

        """),
    GeneratedFile(
      path: "evals/notes.lua",
      contents: """
        ---@type perigee.Eval[]
        return {
          {
            name = "keeps a note",
            agent = "notes",
            turns = {
              { user = "note buy milk", expect = { tool_called = { name = "add_note" } } },
              { user = "show my notes", expect = { contains = "milk" } },
            },
          },
        }

        """),
    GeneratedFile(path: ".gitignore", contents: ".perigee/\n"),
  ]

  static func agent(_ name: String) -> GeneratedFile {
    GeneratedFile(
      path: "agents/\(name.replacing(".", with: "/")).lua",
      contents: """
        ---@type perigee.Agent
        return {
          -- Shown to people, and to agents that may delegate here.
          description = "What \(name) is for.",

          -- Names of tools in tools/; the model may call them.
          tools = {},

          -- What the model is told. Everything in ctx is described in docs/writing-agents.md.
          prompt = function(ctx)
            return "You help " .. ctx.user.name .. "."
          end,

          -- The answer when there is no model, or it cannot be reached.
          stub = function(_, message)
            return "You said: " .. message
          end,
        }

        """)
  }

  static func tool(_ name: String) -> GeneratedFile {
    GeneratedFile(
      path: "tools/\(name).lua",
      contents: """
        ---@type table<string, perigee.Tool>
        return {
          \(name) = {
            -- The model chooses a tool by its description.
            description = "What \(name) does.",

            -- JSON Schema in short: all are required but those with optional = true or a default.
            parameters = {
              text = { type = "string", description = "what it works on" },
            },

            -- What it may touch; nothing unless named: db, kv = "read" or "write", http = { "api.example.com" }.
            access = {},

            -- "read": may run beside others; "write": one after another.
            effect = "read",

            run = function(_, args)
              return { text = args.text }
            end,
          },
        }

        """)
  }

  static func eval(_ name: String, agent: String) -> GeneratedFile {
    GeneratedFile(
      path: "evals/\(name).lua",
      contents: """
        -- Run with: perigee eval evals/\(name).lua
        ---@type perigee.Eval[]
        return {
          {
            name = "answers",
            agent = "\(agent)",
            turns = {
              -- What the user says, and what the answer must be. Everything in expect is described in docs/evals.md.
              { user = "hello", expect = { cost_usd_max = 0.01, matches = "%S" } },
            },
          },
        }

        """)
  }
}
