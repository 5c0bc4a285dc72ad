-- Attack: Makes itself another user.
-- Expect: internal read-only

return {
  run = function(ctx, input)
    ctx.user = { id = "admin" } -- perigee: ignore P156 because it is the attack
    return "wrote"
  end,
}
