-- Attack: Walks the matches of a quadratic pattern.
-- Expect: limit processor time

return {
  run = function(ctx, input)
    for _ in ("x"):rep(100000):gmatch(".-b") do end
  end, -- perigee: ignore P132 because it is the attack
}
