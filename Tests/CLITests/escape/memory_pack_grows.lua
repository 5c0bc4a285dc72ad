-- Attack: Packs strings of the greatest fixed size.
-- Expect: limit memory

return {
  run = function(ctx, input)
    return #string.pack("c2000000000", "x")
  end,
}
