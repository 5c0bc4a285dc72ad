-- Attack: Reads the upvalues of a host's function.
-- Expect: internal

return {
  run = function(ctx, input)
    return debug.getupvalue(require, 1) -- perigee: ignore P103 because it is the attack
  end,
}
