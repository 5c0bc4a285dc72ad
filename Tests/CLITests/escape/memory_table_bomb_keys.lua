-- Attack: Fills a table with ever longer keys.
-- Expect: limit

return {
  run = function(ctx, input)
    local t = {}
    for i = 1, math.huge do t[("k"):rep(1000) .. i] = i end
  end, -- perigee: ignore P132 because it is the attack
}
