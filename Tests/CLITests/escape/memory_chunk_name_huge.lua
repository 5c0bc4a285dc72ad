-- Attack: Loads a chunk whose name has a megabyte, and fails in it.
-- Expect: internal

return {
  run = function(ctx, input)
    load("error('x')", "@" .. ("n"):rep(1 << 20))()
  end, -- perigee: ignore P132 because it is the attack
}
