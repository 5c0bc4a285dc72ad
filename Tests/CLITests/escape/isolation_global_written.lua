-- Attack: Writes a global.
-- Expect: internal assignment to global

return {
  run = function(ctx, input)
    leak = 1 -- perigee: ignore P102 because it is the attack
    return "wrote"
  end,
}
