-- Attack: Formats a megabyte for ever.
-- Expect: limit

return {
  run = function(ctx, input)
    local s = ("x"):rep(1000000)
    while true do string.format("%s%q", s, s) end
  end,
}
