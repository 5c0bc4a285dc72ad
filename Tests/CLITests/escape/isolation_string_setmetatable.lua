-- Attack: Sets a metatable for strings.
-- Expect: internal

return {
  run = function(ctx, input)
    setmetatable("", { __index = {} })
    return "set"
  end,
}
