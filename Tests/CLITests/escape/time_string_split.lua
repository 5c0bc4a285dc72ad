-- Attack: Cuts a megabyte down a letter at a time.
-- Expect: limit

return {
  run = function(ctx, input)
    local s = ("x"):rep(1 << 20)
    while #s > 0 do s = s:sub(2) end
  end, -- perigee: ignore P132 because it is the attack
}
