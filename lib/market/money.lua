-- Amounts in whole Turkish lira, as people write them: 20000 TL, 20.000 TL, 20 bin TL, ₺20.000, 1,5 milyon lira.

local settings = require("lib.market.settings")
local turkish = require("lib.market.turkish")

local money = {}

local SCALES = { bin = 1000, milyon = 1000000 }

---@param amount integer
---@return string text "20.000 TL"
function money.text(amount)
  local grouped = tostring(amount):reverse():gsub("(%d%d%d)", "%1."):reverse():gsub("^%.", "")
  return grouped .. " TL"
end

local function whole(digits, scale)
  local number = tonumber((digits:gsub("%.(%d%d%d)", "%1"):gsub(",", ".")))
  if not number then return nil end
  local amount = math.floor(number * (scale or 1))
  if amount >= 1 and amount <= settings.price_max then return amount end
end

-- A number is a price when lira, or the word fiyat, stands beside it.
local function is_price(before, after)
  return after:find("^%s*tl") or after:find("^%s*lira") or after:find("^%s*₺")
    or before:find("₺%s*$") or before:find("fiyat%a*%s*:?%s*$")
end

--- Gives the numbers of a text, in their order.
---@param message string
---@return { amount: integer, price: boolean, scale: integer? }[]
function money.amounts(message)
  local plain, amounts = turkish.fold(message), {}
  for start, digits in plain:gmatch("()(%d[%d.,]*)") do
    digits = digits:gsub("[.,]+$", "")
    local after = plain:sub(start + #digits)
    local scale = SCALES[after:match("^%s*(%a+)")]
    local amount = whole(digits, scale)
    if scale then after = after:gsub("^%s*%a+", "") end
    if amount then
      local price = scale ~= nil or is_price(plain:sub(1, start - 1), after) ~= nil
      amounts[#amounts + 1] = { amount = amount, price = price, scale = scale }
    end
  end
  return amounts
end

--- Gives the first number that is a price.
---@param message string
---@return integer? price
function money.price(message)
  for _, found in ipairs(money.amounts(message)) do
    if found.price then return found.amount end
  end
end

-- The last price, or else the last number, behind the one before it.
local function last_two(amounts)
  for i = #amounts, 1, -1 do
    if amounts[i].price then return amounts[i - 1], amounts[i] end
  end
  return amounts[#amounts - 1], amounts[#amounts]
end

--- Gives the bounds that somebody who searches puts on the price: "10000 - 20000 TL arası", "20 bin TL altı".
---@param message string
---@return { price_min: integer?, price_max: integer? }
function money.range(message)
  local before, last = last_two(money.amounts(message))
  if before and turkish.mentions(message, { "arasi" }) then
    local low = before.amount
    -- "15 - 20 bin" means 15 bin.
    if last.scale and low * last.scale < last.amount then low = low * last.scale end
    return { price_min = math.min(low, last.amount), price_max = math.max(low, last.amount) }
  end
  if last and turkish.mentions(message, { "ustu", "uzeri", "en az ", "pahali" }) then
    return { price_min = last.amount }
  end
  if last and (last.price or turkish.mentions(message, { "alti ", "altinda", "en fazla ", "en cok ", "ucuz" })) then
    return { price_max = last.amount }
  end
  return {}
end

return money
