-- Attack: Loops in a replacement function.
-- Expect: limit

return {
  run = function(ctx, input)
    ("x"):gsub("x", function() while true do pcall(error) end end)
  end, -- perigee: ignore P132 because it is the attack
}
