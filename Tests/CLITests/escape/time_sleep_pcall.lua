-- Attack: Catches its cancellation and sleeps on.
-- Expect: timeout

return {
  limits = { seconds = 1 },
  run = function(ctx, input)
    while true do pcall(time.sleep, 3600) end
  end,
}
