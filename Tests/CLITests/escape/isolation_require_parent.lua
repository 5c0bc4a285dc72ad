-- Attack: Requires a file outside of lib/ by its parent.
-- Expect: internal require takes a module

return {
  run = function(ctx, input)
    return require("lib...agents.neighbour") -- perigee: ignore P158 because it is the attack
  end,
}
