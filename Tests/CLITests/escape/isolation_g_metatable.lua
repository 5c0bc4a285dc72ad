-- Attack: Takes the metatable of _G away.
-- Expect: internal

return {
  run = function(ctx, input)
    setmetatable(_G, nil)
    return "taken"
  end,
}
