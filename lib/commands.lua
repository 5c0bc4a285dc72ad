-- Understands plain commands, so that the to-do agent is of use without a model.

local commands = {}

local function number(text) return math.tointeger(tonumber(text)) end

-- Each takes the message in lower case and as it was written; the first that answers is taken.
local readers = {
  function(lower, message)
    local start = lower:match("^please%s+()") or 1
    local from = lower:match("^add%s+()", start) or lower:match("^remind me to%s+()", start)
      or lower:match("^new%s+to%-?do:?%s*()", start)
    local title = from and message:sub(from):gsub("%s+to my [%w%s%-]*list%.?$", ""):gsub("%s+$", "")
    if title and title ~= "" then return { name = "add", title = title } end
  end,
  function(lower)
    local id = lower:match("^delete%s+[%a%s%-]*#?(%d+)") or lower:match("^remove%s+[%a%s%-]*#?(%d+)")
    if id then return { name = "delete", id = number(id) } end
  end,
  function(lower)
    local id = lower:match("^complete%s+[%a%s%-]*#?(%d+)") or lower:match("^done%s+[%a%s%-]*#?(%d+)")
      or lower:match("^finish%s+[%a%s%-]*#?(%d+)") or lower:match("#?(%d+)%s+is%s+done")
    if id then return { name = "complete", id = number(id), completed = true } end
  end,
  function(lower)
    local id = lower:match("^reopen%s+[%a%s%-]*#?(%d+)")
    if id then return { name = "complete", id = number(id), completed = false } end
  end,
  function(lower, message)
    local id, from = lower:match("^rename%s+[%a%s%-]*#?(%d+)%s+to%s+()")
    if id then return { name = "rename", id = number(id), title = message:sub(from) } end
  end,
  function(lower)
    if lower:find("^who am i") or lower:find("^how am i doing") then return { name = "context" } end
  end,
  function(lower)
    if lower:find("show") or lower:find("list") or lower:find("what.*do") then
      local completed
      if lower:find("done") or lower:find("completed") or lower:find("finished") then completed = true end
      if lower:find("open") or lower:find("pending") then completed = false end
      return { name = "list", completed = completed }
    end
  end,
}

---@param message string
---@return table? command
function commands.read(message)
  local trimmed = message:match("^%s*(.-)%s*$")
  for _, reader in ipairs(readers) do
    local command = reader(trimmed:lower(), trimmed)
    if command then return command end
  end
end

return commands
