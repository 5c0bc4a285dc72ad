-- Attack: Changes the id of its user with rawset.
-- Expect: internal read-only

return {
  run = function(ctx, input)
    rawset(ctx.user, "id", "admin")
    return ctx.user.id
  end,
}
