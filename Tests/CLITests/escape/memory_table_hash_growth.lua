-- Attack: Sets one far key after another, so that the hash part grows.
-- Expect: limit

return {
  run = function(ctx, input)
    local t = {}
    for i = 1, math.huge do t[i * 1.5] = true end
  end, -- perigee: ignore P132 because it is the attack
}
