-- Makes or changes one draft. The agents think beside each other, before anything is written; what they came to is
-- written in one transaction, if all of them worked on the same draft.

local asking = require("lib.market.asking")
local cards = require("lib.market.cards")

local function propose(task)
  return parallel{
    title = asking.branch("market.title", task),
    description = asking.branch("market.description", task),
    price = asking.branch("market.price", task),
    image = asking.branch("market.image", task),
    guard = function() return tools.call("read_draft", { draft_id = task.draft_id }) end,
  }
end

-- A part that nobody proposed stays as it is; whose draft it was counts nevertheless.
local function write(tool, proposal, part)
  return function()
    if proposal[part] == nil then return proposal end
    return tools.call(tool, proposal)
  end
end

local function save(proposed)
  db.transaction(function()
    guard.same("draft_id", proposed)
    guard.same("draft_id", parallel{
      title = write("update_title", proposed.title, "title"),
      description = write("update_description", proposed.description, "description"),
      price = write("update_price", proposed.price, "price"),
      image = write("process_image", proposed.image, "images"),
    })
  end)
end

local function fill(task)
  local proposed = propose(task)
  local rejected = proposed.image.rejected or {}
  proposed.image.rejected = nil -- for the answer, not for the draft
  save(proposed)
  return rejected
end

local function answer(draft, rejected)
  local lines = { "Taslağınız güncellendi.", cards.draft(draft) }
  for _, image in ipairs(rejected) do
    lines[#lines + 1] = ("Fotoğraf alınmadı: %s (%s)"):format(image.url, image.reason)
  end
  lines[#lines + 1] = #draft.missing == 0 and "Yayınlamak için “yayınla” yazın."
    or ("Yayınlamak için eksik: %s."):format(cards.missing(draft))
  return table.concat(lines, "\n")
end

---@type perigee.Agent
return {
  description = "İlan taslağı hazırlar veya değiştirir.",
  tools = {
    "create_draft", "read_draft", "discard_draft",
    "update_title", "update_description", "update_price", "process_image",
  },
  agents = { "market.title", "market.description", "market.price", "market.image" },
  access = { db = "write" },
  limits = { seconds = 90 },

  run = function(_, input)
    local is_new = input.draft_id == nil
    local draft = is_new and tools.call("create_draft") or input.draft
    local ok, result = pcall(fill, {
      message = input.message,
      images = input.images,
      draft_id = draft.draft_id,
      draft = draft,
    })
    if not ok then
      if is_new then tools.call("discard_draft", { draft_id = draft.draft_id }) end
      error(result, 0)
    end
    local filled = tools.call("read_draft", { draft_id = draft.draft_id })
    return { text = answer(filled, result), data = { draft = filled } }
  end,
}
