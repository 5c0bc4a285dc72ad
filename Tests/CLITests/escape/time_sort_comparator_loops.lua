-- Attack: Loops in a comparator, where nothing can be suspended.
-- Expect: limit

return {
  run = function(ctx, input)
    table.sort({ 3, 2, 1 }, function() while true do end end)
  end, -- perigee: ignore P132 because it is the attack
}
