-- Attack: Backtracks through sets of characters.
-- Expect: limit processor time

return {
  run = function(ctx, input)
    return ("ab"):rep(5000):match("[ab]-[ab]-[ab]-[ab]-[ab]-c")
  end,
}
