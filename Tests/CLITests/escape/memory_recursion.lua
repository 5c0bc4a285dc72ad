-- Attack: Calls itself without end.
-- Expect: internal overflow

return {
  run = function(ctx, input)
    local function f() return 1 + f() end
    f()
  end, -- perigee: ignore P132 because it is the attack
}
