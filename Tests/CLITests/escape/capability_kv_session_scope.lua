-- Attack: Reads what another session of the user kept for itself.
-- Expect: reply nil

return {
  access = { kv = "write" },
  run = function(ctx, input)
    local before = kv.get("secret", { scope = "session" })
    kv.set("secret", "mine", { scope = "session" })
    return tostring(before)
  end,
}
