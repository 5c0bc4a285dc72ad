-- Attack: Keeps a value under a key that is not UTF-8.
-- Expect: internal

return {
  access = { kv = "write" },
  run = function(ctx, input)
    kv.set("\xff\xfe", 1)
    return "kept"
  end,
}
