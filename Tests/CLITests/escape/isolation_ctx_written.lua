-- Attack: Makes itself another user.
-- Expect: internal read-only

return {
  run = function(ctx, input)
    ctx.user = { id = "admin" }
    return "wrote"
  end,
}
