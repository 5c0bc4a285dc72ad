-- Attack: Keeps a value under a key of a megabyte.
-- Expect: limit the key has

return {
  access = { kv = "write" },
  run = function(ctx, input)
    kv.set(("k"):rep(1 << 20), 1)
    return "kept"
  end,
}
