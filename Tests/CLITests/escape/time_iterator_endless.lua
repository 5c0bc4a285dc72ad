-- Attack: Walks an iterator that never ends.
-- Expect: limit processor time

return {
  run = function(ctx, input)
    for _ in (function() return 1 end) do end
  end, -- perigee: ignore P132 because it is the attack
}
