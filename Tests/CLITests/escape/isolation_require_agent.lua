-- Attack: Requires an agent's file.
-- Expect: internal require takes a module

return {
  run = function(ctx, input)
    return require("agents.neighbour") -- perigee: ignore P158 because it is the attack
  end,
}
