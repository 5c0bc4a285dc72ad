-- Attack: Formats a date ten thousand times over, for ever.
-- Expect: limit

return {
  run = function(ctx, input)
    local format = ("%Y"):rep(10000)
    while true do os.date(format) end
  end,
}
