-- Attack: Keeps a value without access.
-- Expect: internal access

return {
  run = function(ctx, input)
    kv.set("x", 1) -- perigee: ignore W213 because it is the attack
    return "kept"
  end,
}
