-- Understands plain requests, so that the support desk is of use without a model.

local money = require("lib.cloud.money")

local requests = {}

local function number(digits) return math.tointeger(tonumber(digits)) end

-- Each takes the message as it was written, and in lower case; the first that answers is taken.
local READERS = {
  function(message, lower)
    local article, amount = message:match("^[Oo]rder%s+(.-)%s+for%s+(%d[%d%.]*)$")
    local cents = amount and money.parse(amount)
    if cents and lower:find("^order") then
      return { tool = "place_order", arguments = { article = article, cents = cents } }
    end
  end,
  function(message, lower)
    local id = number(lower:match("^refund%s+(%d+)"))
    local reason = message:match("because%s+(.+)$") or "not said"
    if id then return { tool = "request_refund", arguments = { order_id = id, reason = reason } } end
  end,
  function(message)
    local subject = message:match("^[Tt]icket:%s*(.+)$")
    if subject then return { tool = "open_ticket", arguments = { subject = subject } } end
  end,
  function(_, lower)
    local thumb = lower:match("^thumbs?%s+(%a+)")
    if thumb == "up" or thumb == "down" then return { tool = "rate_answer", arguments = { thumb = thumb } } end
  end,
  function(_, lower)
    if lower:find("order", 1, true) then return { tool = "list_orders", arguments = {} } end
  end,
}

---@param message string
---@return { tool: string, arguments: table }? request
function requests.read(message)
  for _, reader in ipairs(READERS) do
    local request = reader(message, message:lower())
    if request then return request end
  end
end

--- The line of the policy that a question is about, by its first word.
---@param policy string
---@param question string
---@return string? line
function requests.policy_line(policy, question)
  local lower = question:lower()
  for topic, line in policy:gmatch("%- (%a+)[^:\n]*: ([^\n]+)") do
    if lower:find(topic:lower():gsub("s$", ""), 1, true) then return line end
  end
end

return requests
