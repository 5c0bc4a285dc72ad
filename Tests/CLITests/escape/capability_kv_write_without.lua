-- Attack: Keeps a value with access to read only.
-- Expect: internal access

return {
  access = { kv = "read" },
  run = function(ctx, input)
    kv.set("x", 1) -- perigee: ignore W213 because it is the attack
    return "kept"
  end,
}
