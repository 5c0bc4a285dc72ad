-- Looking for words in what people and models write.

local words = {}

--- The first of `list` that stands in `message`, whatever its case, at the beginning of a word.
---@param message string
---@param list string[]
---@return string? word
function words.first(message, list)
  local lower = message:lower()
  for _, word in ipairs(list) do
    if lower:find("%f[%w]" .. word:gsub("%p", "%%%0")) then return word end
  end
end

--- The name of the first entry of `entries` one of whose `words` stands in `message`.
---@param message string
---@param entries { name: string, words: string[] }[]
---@return string? name
---@return string? word
function words.classify(message, entries)
  for _, entry in ipairs(entries) do
    local word = words.first(message, entry.words)
    if word then return entry.name, word end
  end
end

return words
