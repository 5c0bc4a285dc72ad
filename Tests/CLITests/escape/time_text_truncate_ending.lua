-- Attack: Truncates to a negative length with an ending of a megabyte.
-- Expect: internal

return {
  run = function(ctx, input)
    return text.truncate("hello", -1, ("x"):rep(1 << 20))
  end,
}
