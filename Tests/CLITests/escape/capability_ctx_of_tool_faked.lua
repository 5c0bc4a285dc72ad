-- Attack: Hands a context of its own to a host's function.
-- Expect: internal

return {
  access = { kv = "read" },
  run = function(ctx, input)
    ctx = { user = { id = "admin" }, session = ctx.session }
    rawset(ctx.session.state, "x", function() end)
    return tostring(kv.get("x"))
  end,
}
