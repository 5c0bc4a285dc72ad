-- How drafts and listings are shown to people.

local categories = require("lib.market.categories")
local money = require("lib.market.money")

local cards = {}

local NAMES = { title = "başlık", description = "açıklama", price = "fiyat" }

local function price(thing) return thing.price and money.text(thing.price) or "—" end

---@param draft table as read_draft gives it
---@return string
function cards.draft(draft)
  return table.concat({
    ("Taslak no: %d"):format(draft.draft_id),
    "Başlık: " .. (draft.title or "—"),
    "Açıklama: " .. (draft.description or "—"),
    "Fiyat: " .. price(draft),
    "Kategori: " .. (draft.category and categories.name(draft.category) or "—"),
    ("Fotoğraf: %d"):format(#draft.images),
  }, "\n")
end

---@param draft table as read_draft gives it
---@return string what it lacks: "başlık, fiyat"
function cards.missing(draft)
  local names = {}
  for i, field in ipairs(draft.missing) do names[i] = NAMES[field] end
  return table.concat(names, ", ")
end

---@param listing table as the tools give it
---@return string line
function cards.listing(listing)
  return ("%d. %s, %s (%s)"):format(
    listing.listing_id, listing.title, price(listing), categories.name(listing.category)
  )
end

---@param listings table[]
---@return string lines
function cards.listings(listings)
  local lines = {}
  for i, listing in ipairs(listings) do lines[i] = cards.listing(listing) end
  return table.concat(lines, "\n")
end

return cards
