-- Attack: Requires the tools of another file.
-- Expect: internal require takes a module

return {
  run = function(ctx, input)
    return require("tools.ledger") -- perigee: ignore P158 because it is the attack
  end,
}
