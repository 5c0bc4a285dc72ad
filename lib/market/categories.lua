-- What is sold here. `things` name a category as a whole; `brands` also say what exactly is wanted. All are folded
-- (lib/market/turkish.lua), and are found at the beginning of a word.

local turkish = require("lib.market.turkish")

local categories = {}

categories.list = {
  { id = "elektronik", name = "Elektronik",
    things = { "telefon", "bilgisayar", "laptop", "tablet", "kulaklik", "televizyon", "kamera", "elektronik" },
    brands = { "iphone", "samsung", "xiaomi", "macbook", "playstation" } },
  { id = "arac", name = "Araç",
    things = { "araba", "arac ", "otomobil", "motosiklet", "kamyonet" },
    brands = { "renault", "fiat", "volkswagen", "tofas" } },
  { id = "ev", name = "Ev ve Yaşam",
    things = { "koltuk", "masa", "sandalye", "dolap", "yatak", "buzdolabi", "mobilya", "hali ", "ev esya" },
    brands = { "ikea" } },
  { id = "emlak", name = "Emlak",
    things = { "daire", "ev ", "kiralik", "arsa", "tarla", "emlak" }, brands = {} },
  { id = "giyim", name = "Giyim",
    things = { "ayakkabi", "elbise", "ceket", "mont", "canta", "giyim" }, brands = { "nike", "adidas" } },
  { id = "hobi", name = "Spor ve Hobi",
    things = { "bisiklet", "gitar", "kitap", "satranc", "kamp", "oyuncak" }, brands = { "bianchi", "yamaha" } },
  { id = "diger", name = "Diğer", things = {}, brands = {} },
}

--- For the schemas of tools and answers.
categories.ids = {}
for i, category in ipairs(categories.list) do categories.ids[i] = category.id end

--- Gives "elektronik (Elektronik), arac (Araç), …", for prompts.
function categories.text()
  local texts = {}
  for i, category in ipairs(categories.list) do texts[i] = ("%s (%s)"):format(category.id, category.name) end
  return table.concat(texts, ", ")
end

---@param id string
---@return string name
function categories.name(id)
  for _, category in ipairs(categories.list) do
    if category.id == id then return category.name end
  end
  return id
end

---@param message string
---@return string? id of the category that it speaks of
function categories.of(message)
  for _, category in ipairs(categories.list) do
    if turkish.mentions(message, category.things) or turkish.mentions(message, category.brands) then
      return category.id
    end
  end
end

---@param word string
---@return boolean whether it names a category and nothing closer
function categories.has_thing(word)
  for _, category in ipairs(categories.list) do
    if turkish.mentions(word, category.things) then return true end
  end
  return false
end

return categories
