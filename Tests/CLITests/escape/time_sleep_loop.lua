-- Attack: Sleeps for no time, for ever.
-- Expect: limit|timeout

return {
  limits = { seconds = 1 },
  run = function(ctx, input)
    while true do time.sleep(0) end
  end,
}
