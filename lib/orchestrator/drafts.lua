-- What a draft must be before a person looks at it.

local settings = require("lib.orchestrator.settings")
local words = require("lib.words")

local drafts = {}

local PLACEHOLDERS = { "lorem", "todo", "tbd", "xxx" }

local function word_count(draft) return select(2, draft:gsub("%S+", "")) end

---@param draft string
---@return string[] faults
function drafts.faults(draft)
  local faults = {}
  local count = word_count(draft)
  if count < settings.draft_words_min then
    faults[#faults + 1] = ("it has %d words, fewer than %d"):format(count, settings.draft_words_min)
  end
  local placeholder = words.first(draft, PLACEHOLDERS)
  if placeholder then faults[#faults + 1] = ("it has a placeholder (%s)"):format(placeholder) end
  return faults
end

return drafts
