-- Attack: Reads a number of base 36 of a million digits for ever.
-- Expect: limit

return {
  run = function(ctx, input)
    local s = ("z"):rep(1000000)
    while true do tonumber(s, 36) end
  end,
}
