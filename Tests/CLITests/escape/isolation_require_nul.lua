-- Attack: Requires a name that a zero byte cuts off.
-- Expect: internal require takes a module

return {
  run = function(ctx, input)
    return require("lib.shared\0.x").next() -- perigee: ignore P158 because it is the attack
  end,
}
