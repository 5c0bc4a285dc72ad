-- Attack: Loops in a comparator, caught and begun again.
-- Expect: limit

return {
  run = function(ctx, input)
    while true do
      pcall(table.sort, { 3, 2, 1 }, function() while true do end end)
    end
  end,
}
