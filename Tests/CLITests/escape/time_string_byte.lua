-- Attack: Gets all bytes of a megabyte as results.
-- Expect: internal

return {
  run = function(ctx, input)
    return select("#", (("x"):rep(10000000)):byte(1, -1))
  end,
}
