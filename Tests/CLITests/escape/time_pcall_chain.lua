-- Attack: Hides the loop behind a hundred protected calls.
-- Expect: limit processor time

return {
  run = function(ctx, input)
    local f = function() while true do end end
    for _ = 1, 100 do
      local inner = f
      f = function() while true do pcall(inner) end end
    end
    f()
  end, -- perigee: ignore P132 because it is the attack
}
