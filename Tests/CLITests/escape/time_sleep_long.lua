-- Attack: Sleeps for an hour.
-- Expect: timeout

return {
  limits = { seconds = 1 },
  run = function(ctx, input)
    time.sleep(3600)
    return "awake"
  end,
}
