-- Attack: Takes the metatable of ctx away.
-- Expect: internal

return {
  run = function(ctx, input)
    setmetatable(ctx, nil)
    return "taken"
  end,
}
