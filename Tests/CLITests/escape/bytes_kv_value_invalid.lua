-- Attack: Keeps a value that is not UTF-8.
-- Expect: internal UTF-8

return {
  access = { kv = "write" },
  run = function(ctx, input)
    kv.set("x", "\xff")
    return "kept"
  end,
}
