-- Attack: Asks for a string of sixteen gigabytes.
-- Expect: internal resulting string too large

return {
  run = function(ctx, input)
    return ("x"):rep(1 << 34)
  end,
}
