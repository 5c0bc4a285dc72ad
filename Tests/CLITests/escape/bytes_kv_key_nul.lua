-- Attack: Keeps a value under a key with a zero byte.
-- Expect: reply true nil

return {
  access = { kv = "write" },
  run = function(ctx, input)
    kv.set("a\0b", 1, { scope = "session" })
    return tostring(kv.get("a\0b", { scope = "session" }) == 1)
      .. " " .. tostring(kv.get("a", { scope = "session" }))
  end,
}
