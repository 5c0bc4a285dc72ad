-- Attack: Keeps a value in the area of another user.
-- Expect: reply false false

return {
  access = { kv = "write" },
  run = function(ctx, input)
    return tostring((pcall(kv.set, "x", 1, { scope = "server" })))
      .. " " .. tostring((pcall(kv.get, "x", { user = "ada", scope = "user" })))
  end,
}
