-- Attack: Keeps values for ever.
-- Expect: limit|timeout

return {
  access = { kv = "write" },
  limits = { seconds = 1 },
  run = function(ctx, input)
    for i = 1, math.huge do kv.set("flood" .. i % 50, ("x"):rep(10000)) end
  end, -- perigee: ignore P132 because it is the attack
}
