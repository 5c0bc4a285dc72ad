-- Attack: Writes a global.
-- Expect: internal assignment to global

return {
  run = function(ctx, input)
    leak = 1
    return "wrote"
  end,
}
