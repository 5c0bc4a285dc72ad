-- Attack: Gives itself another _ENV and looks what is left in the next turn.
-- Expect: reply nil

return {
  run = function(ctx, input)
    local found = tostring(rawget(_G, "leak"))
    do
      local _ENV = setmetatable({}, { __index = _G })
      leak = "leaked"
    end
    return found
  end,
}
