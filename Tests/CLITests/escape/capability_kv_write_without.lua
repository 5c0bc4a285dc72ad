-- Attack: Keeps a value with access to read only.
-- Expect: internal access

return {
  access = { kv = "read" },
  run = function(ctx, input)
    kv.set("x", 1)
    return "kept"
  end,
}
