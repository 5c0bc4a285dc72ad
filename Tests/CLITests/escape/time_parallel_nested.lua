-- Attack: Starts two branches in each of two branches, without end.
-- Expect: limit

return {
  run = function(ctx, input)
    local function f() parallel{ f, f } end
    f()
  end, -- perigee: ignore P132 because it is the attack
}
