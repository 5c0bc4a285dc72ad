-- Finds out without a model what a message is about.

local money = require("lib.market.money")
local turkish = require("lib.market.turkish")

local intents = {}

intents.names = { "create_listing", "publish_or_delete", "search_listings", "small_talk" }

-- Folded, each from the beginning of a word on; the first intent with a phrase in the message is taken.
local PHRASES = {
  { intent = "publish_or_delete", phrases = {
    "yayinla", "yayina al", "yayindan", "ilanlarim", "ilanimi ", "ilani sil ", "ilani kaldir", "ilanini sil", "sil ",
    "siler misin", "silmek", "kaldirmak ist", "bakiye", "kredi", "ucretini ode", "ucreti ode",
  } },
  { intent = "search_listings", phrases = {
    "ariyor", "aramak", "ara ", "bul ", "bulur", "bulabilir", "var mi ", "varmi", "goster", "listele", "almak ist",
    "bakiyorum", "satan ", "hangi ilan", "ne var ", "neler var", "ilanlar",
  } },
  { intent = "create_listing", phrases = {
    "satmak", "satiyor", "satacag", "satilik", "satisa", "satayim", "ilan ver", "ilan olustur", "ilan ac", "ilan koy",
    "taslak hazirla",
  } },
}

-- What one may want to change in a draft.
local PARTS = { "fiyat", "basli", "aciklama", "foto", "resim" }

--- Whether a message is about the draft that is open rather than about something new.
---@param message string
---@param draft table?
---@return boolean
function intents.changes_draft(message, draft)
  if not draft then return false end
  if turkish.mentions(message, PHRASES[3].phrases) then return false end
  return turkish.mentions(message, PARTS) or #draft.missing > 0 and money.price(message) ~= nil
end

---@param message string
---@param draft table?
---@return string intent one of intents.names
function intents.of(message, draft)
  for _, candidate in ipairs(PHRASES) do
    if turkish.mentions(message, candidate.phrases) then return candidate.intent end
  end
  return intents.changes_draft(message, draft) and "create_listing" or "small_talk"
end

return intents
