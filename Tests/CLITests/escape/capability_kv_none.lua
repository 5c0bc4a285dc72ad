-- Attack: Keeps a value without access.
-- Expect: internal access

return {
  run = function(ctx, input)
    kv.set("x", 1)
    return "kept"
  end,
}
