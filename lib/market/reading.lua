-- Understands plain Turkish sentences, so that the market is of use without a model.

local categories = require("lib.market.categories")
local money = require("lib.market.money")
local turkish = require("lib.market.turkish")

local reading = {}

local function set(words)
  local members = {}
  for word in words:gmatch("%S+") do members[word] = true end
  return members
end

-- Words around the thing that somebody sells.
local SELLING = set([[
  merhaba selam gunaydin iyi gunler lutfen ben bir adet yeni ilan ver vermek olustur olusturmak
  satmak satiyorum satacagim satilik satilir istiyorum istiyoruz fiyat fiyati tl lira liraya bin milyon
  taslak basligi baslik yap olsun degistir
]])

-- Words around the thing that somebody looks for.
local SEARCHING = set([[
  merhaba selam ben bana bir adet ariyorum ariyoruz bul bulun goster gosterir misin listele var mi almak istiyorum
  ilan ilani ilanlar ilanlari satilik satan satilan ikinci el olan icin ne neler hangi ile ve
  fiyat fiyati tl lira liraya bin milyon arasi arasinda alti altinda altindaki ustu ustunde ustundeki
  ucuz pahali en fazla cok az kadar
]])

-- "20.000 TL, kutulu." has two clauses: a comma or full stop inside a number ends none.
local function clauses(message)
  return (message:gsub("[,;.!?]+%s+", "\n"):gsub("[,;.!?]+$", "")):gmatch("[^\n]+")
end

local function plain(word) return (turkish.fold(word):match("^[^']*"):gsub("[^%w]+", "")) end

local function words_of(clause)
  local words = {}
  for word in clause:gmatch("%S+") do words[#words + 1] = word end
  return words
end

-- Whether the word is (the beginning of) a price, as 20000 in "20000 TL".
local function begins_price(words, i)
  return words[i]:find("%d") and money.price(words[i] .. " " .. (words[i + 1] or "")) ~= nil
end

--- Gives what is for sale: "iPhone 13" of "iPhone 13 satmak istiyorum, fiyat 20000 TL".
---@param message string
---@return string? thing
function reading.thing(message)
  for clause in clauses(message) do
    local words, kept = words_of(clause), {}
    for i, word in ipairs(words) do
      local is_noise = SELLING[plain(word)] or begins_price(words, i)
      if is_noise and #kept > 0 then break end
      if not is_noise then kept[#kept + 1] = word end
    end
    if #kept > 0 then return table.concat(kept, " ") end
  end
end

--- Gives what else is said of it: the clauses that neither name it nor its price.
---@param message string
---@return string? details
function reading.details(message)
  local thing, kept = reading.thing(message), {}
  for clause in clauses(message) do
    local names_it = thing and clause:find(thing, 1, true)
    if not names_it and not money.price(clause) and reading.thing(clause) then kept[#kept + 1] = clause end
  end
  if #kept > 0 then return table.concat(kept, ", ") end
end

local function is_bound(word, range)
  for _, found in ipairs(money.amounts(word)) do
    if found.amount == range.price_min or found.amount == range.price_max then return true end
  end
  return false
end

--- Gives the words that a listing has to have in it.
---@param message string
---@return string[] words folded
function reading.search_words(message)
  local words, range, kept = words_of(message), money.range(message), json.array({})
  local is_kept = false
  for i, word in ipairs(words) do
    local folded = plain(word)
    local says_nothing = folded == "" or SEARCHING[folded] or categories.has_thing(folded)
    -- A number belongs to the word before it, as in "iphone 13".
    local stands_alone = folded:find("^%d") and not is_kept
    is_kept = not (says_nothing or stands_alone or begins_price(words, i) or is_bound(word, range))
    if is_kept then kept[#kept + 1] = folded end
  end
  return kept
end

return reading
