-- Attack: Sets a metatable for strings.
-- Expect: internal

return {
  run = function(ctx, input)
    setmetatable("", { __index = {} }) -- perigee: ignore P152 because it is the attack
    return "set"
  end,
}
