-- Searches by what three agents read out of the message, beside each other: one search that has to meet all of it.

local asking = require("lib.market.asking")
local cards = require("lib.market.cards")

local function criteria(task)
  local read = parallel{
    category = asking.branch("market.category_search", task),
    price = asking.branch("market.price_search", task),
    content = asking.branch("market.content_search", task),
  }
  return {
    category = read.category.category,
    price_min = read.price.price_min,
    price_max = read.price.price_max,
    words = read.content.words,
  }
end

local function answer(found)
  if found.total == 0 then return "Aradığınıza uyan bir ilan yok." end
  local lines = ("%d ilan bulundu:\n%s"):format(found.total, cards.listings(found.listings))
  if found.total == #found.listings then return lines end
  return lines .. "\n… Daha fazlası var; aramayı daraltabilirsiniz."
end

---@type perigee.Agent
return {
  description = "Yayındaki ilanları kategoriye, fiyata ve içeriğe göre arar.",
  tools = { "search_listings" },
  agents = { "market.category_search", "market.price_search", "market.content_search" },
  limits = { seconds = 60 },

  run = function(_, input)
    local wanted = criteria({ message = input.message, conversation = input.conversation })
    local found = tools.call("search_listings", wanted)
    return { text = answer(found), data = { criteria = wanted, listings = found.listings, total = found.total } }
  end,
}
