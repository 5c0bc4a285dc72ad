-- Attack: Asks the time for ever.
-- Expect: limit

return {
  run = function(ctx, input)
    while true do time.now() end
  end,
}
