-- Attack: Calls itself with one argument more each time.
-- Expect: limit

return {
  run = function(ctx, input)
    local function f(...) return f(1, ...) end
    f()
  end, -- perigee: ignore P132 because it is the attack
}
