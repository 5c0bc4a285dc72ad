-- SPDX-License-Identifier: Apache-2.0
-- What the scripts of one turn do: make a prompt from data, and what a tool makes of its rows.
local template = [[
You help {name} with the list of the team {team}. Today is {today}.
Open entries, the most urgent first:
{entries}
Answer in at most {sentences} sentences.]]

local function urgency(entry)
  if entry.due == "" then return 9 end
  local year, month, day = entry.due:match("^(%d%d%d%d)-(%d%d)-(%d%d)$")
  return (tonumber(year) - 2026) * 372 + (tonumber(month) - 1) * 31 + tonumber(day)
end

local function line(index, entry)
  local tags = table.concat(entry.tags, ", ")
  return ("%2d. %s%s%s"):format(index, entry.title, entry.due ~= "" and " (due " .. entry.due .. ")" or "",
    #tags > 0 and " [" .. tags .. "]" or "")
end

local function prompt(context)
  local open = {}
  for _, entry in ipairs(context.entries) do
    if not entry.done then open[#open + 1] = entry end
  end
  table.sort(open, function(a, b)
    local first, second = urgency(a), urgency(b)
    if first ~= second then return first < second end
    return a.title < b.title
  end)
  local lines = {}
  for index, entry in ipairs(open) do lines[index] = line(index, entry) end
  local values = {
    name = context.user.name, team = context.user.team:upper(), today = context.today,
    entries = table.concat(lines, "\n"), sentences = 5,
  }
  return (template:gsub("{(%l+)}", values))
end

local function page(context, limit, after)
  local rows, next_page = {}, nil
  for index = after + 1, #context.entries do
    if #rows == limit then
      next_page = index - 1
      break
    end
    local entry = context.entries[index]
    rows[#rows + 1] = { id = index, title = entry.title, done = entry.done, words = select(2, entry.title:gsub("%S+", "")) }
  end
  return { rows = json.array(rows), next = next_page }
end

return function(context)
  local text = prompt(context)
  local first = page(context, 4, 0)
  local second = page(context, 4, first.next)
  return { prompt = text, first = first, again = json.decode(json.encode(second)) }
end
