-- Attack: Redefines a global function.
-- Expect: internal assignment to global

return {
  run = function(ctx, input)
    function print() return "mine" end -- perigee: ignore P102 because it is the attack
    return "wrote"
  end,
}
