-- Attack: Changes the id of its user.
-- Expect: internal read-only

return {
  run = function(ctx, input)
    ctx.user.id = "admin" -- perigee: ignore P156 because it is the attack
    return ctx.user.id
  end,
}
