-- Attack: Writes a global with rawset.
-- Expect: internal read-only

return {
  run = function(ctx, input)
    rawset(_G, "leak", 1)
    return "wrote"
  end,
}
