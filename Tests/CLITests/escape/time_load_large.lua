-- Attack: Loads a chunk of a megabyte.
-- Expect: internal chunk is too large

return {
  run = function(ctx, input)
    return assert(load(("x = 1 "):rep(200000)))
  end,
}
