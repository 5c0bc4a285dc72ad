-- Attack: Asks for a string whose length overflows an integer.
-- Expect: internal resulting string too large

return {
  run = function(ctx, input)
    return ("xx"):rep(math.maxinteger, "yy")
  end,
}
