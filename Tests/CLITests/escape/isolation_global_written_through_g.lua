-- Attack: Writes a global through _G.
-- Expect: internal assignment to global

return {
  run = function(ctx, input)
    _G.leak = 1
    return "wrote"
  end,
}
