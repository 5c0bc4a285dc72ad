-- Attack: Takes another session's id.
-- Expect: internal read-only

return {
  run = function(ctx, input)
    ctx.session.id = "other"
    return ctx.session.id
  end,
}
