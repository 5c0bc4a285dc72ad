-- Attack: Reads the metatable of _G.
-- Expect: internal

return {
  run = function(ctx, input)
    getmetatable(_G).__index.print = nil
    return "changed"
  end,
}
