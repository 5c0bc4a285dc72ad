-- Attack: Formats the greatest float with the greatest precision, for ever.
-- Expect: limit processor time

return {
  run = function(ctx, input)
    while true do string.format("%99.99f", 1.7e308) end
  end,
}
