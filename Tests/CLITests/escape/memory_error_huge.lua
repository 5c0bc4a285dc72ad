-- Attack: Raises an error message of eight megabytes.
-- Expect: internal

return {
  run = function(ctx, input)
    error(("x"):rep(8 << 20))
  end,
}
