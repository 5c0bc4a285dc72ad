-- Attack: Calls the host wrongly, caught, for ever.
-- Expect: limit

return {
  run = function(ctx, input)
    while true do pcall(time.sleep, "x") end
  end,
}
