-- Amounts are whole cents, so that nothing is lost to rounding.

local money = {}

--- 1250 is "12.50".
---@param cents integer
---@return string
function money.format(cents) return ("%d.%02d"):format(cents // 100, cents % 100) end

--- "12.50", "12.5" and "12" are amounts.
---@param amount string
---@return integer? cents
function money.parse(amount)
  local whole, fraction = amount:match("^(%d+)%.?(%d?%d?)$")
  if not whole then return nil end
  return math.tointeger(tonumber(whole)) * 100 + math.tointeger(tonumber((fraction .. "00"):sub(1, 2)))
end

return money
