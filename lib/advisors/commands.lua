-- What a user may tell an advisor to do. A command is a name and a function; carrying it out is a look into a table.

local notebook = require("lib.advisors.notebook")
local settings = require("lib.advisors.settings")

local commands = {}

---@type table<string, { does: string, run: fun(ctx: perigee.Context, argument: string): string }>
local COMMANDS = {
  new = {
    does = "begin a new conversation",
    run = function(ctx)
      notebook.conversation(ctx).history = {}
      return "Let us begin anew."
    end,
  },
  usage = {
    does = "what this conversation has used",
    run = function(ctx)
      local conversation = notebook.conversation(ctx)
      return ("%d messages, %d tokens."):format(conversation.message_count, conversation.tokens_used)
    end,
  },
  remember = {
    does = "keep something in mind: /remember I rent my home",
    run = function(ctx, argument)
      if argument == "" then return "What shall I remember? Try: /remember I rent my home" end
      local notes = notebook.notes(ctx)
      if #notes == settings.notes_max then return "My notes are full. /forget clears them." end
      notes[#notes + 1] = argument
      notebook.set_notes(ctx, notes)
      return "Noted: " .. argument
    end,
  },
  forget = {
    does = "clear what is kept in mind",
    run = function(ctx)
      notebook.set_notes(ctx, json.array({}))
      return "I keep nothing in mind any more."
    end,
  },
}

local function help()
  local lines = {}
  for name, command in pairs(COMMANDS) do lines[#lines + 1] = ("/%s: %s"):format(name, command.does) end
  table.sort(lines)
  return table.concat(lines, "\n")
end

--- Carries out the command that a message is, if it is one.
---@return string? answer
function commands.run(ctx, message)
  local name, argument = message:match("^/(%a+)%s*(.*)$")
  if not name then return nil end
  local command = COMMANDS[name:lower()]
  if not command then return help() end
  return command.run(ctx, argument)
end

return commands
