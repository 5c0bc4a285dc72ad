-- Attack: Takes a long list apart from its front.
-- Expect: limit processor time

return {
  run = function(ctx, input)
    local t = {}
    for i = 1, 100000 do t[i] = i end
    while #t > 0 do table.remove(t, 1) end
  end, -- perigee: ignore P132 because it is the attack
}
