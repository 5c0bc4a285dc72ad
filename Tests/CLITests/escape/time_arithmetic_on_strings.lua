-- Attack: Adds strings of a million digits for ever.
-- Expect: limit

return {
  run = function(ctx, input)
    local s = ("1"):rep(1000000)
    while true do pcall(function() return s + 1 end) end
  end,
}
