-- Attack: Loops in the message handler, where stock Lua runs no hooks.
-- Expect: limit processor time

return {
  run = function(ctx, input)
    xpcall(error, function() while true do end end)
  end, -- perigee: ignore P132 because it is the attack
}
