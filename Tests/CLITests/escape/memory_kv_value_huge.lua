-- Attack: Keeps a value of eight megabytes.
-- Expect: limit

return {
  access = { kv = "write" },
  run = function(ctx, input)
    kv.set("huge", ("x"):rep(8 << 20))
    return "kept"
  end,
}
