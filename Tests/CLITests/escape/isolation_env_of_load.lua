-- Attack: Loads a chunk with an environment of its own and reads it elsewhere.
-- Expect: reply nil 1

return {
  run = function(ctx, input)
    local env = setmetatable({}, { __index = _G })
    load("leak = 1", "x", "t", env)()
    return tostring(leak) .. " " .. env.leak -- perigee: ignore P101 because it is the attack
  end,
}
