-- Attack: Writes a global in a loaded chunk.
-- Expect: internal assignment to global

return {
  run = function(ctx, input)
    load("leak = 1")()
    return "wrote"
  end,
}
