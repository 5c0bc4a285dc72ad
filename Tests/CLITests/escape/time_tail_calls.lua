-- Attack: Calls itself at its tail for ever.
-- Expect: limit processor time

return {
  run = function(ctx, input)
    local function f() return f() end
    f()
  end, -- perigee: ignore P132 because it is the attack
}
