-- Attack: Changes the id of its user.
-- Expect: internal read-only

return {
  run = function(ctx, input)
    ctx.user.id = "admin"
    return ctx.user.id
  end,
}
