-- Attack: Calls gsub in the replacement function of gsub.
-- Expect: internal overflow

return {
  run = function(ctx, input)
    local function f() return (("x"):gsub("x", f)) end
    f()
  end, -- perigee: ignore P132 because it is the attack
}
