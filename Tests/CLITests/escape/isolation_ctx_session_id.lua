-- Attack: Takes another session's id.
-- Expect: internal read-only

return {
  run = function(ctx, input)
    ctx.session.id = "other" -- perigee: ignore P156 because it is the attack
    return ctx.session.id
  end,
}
