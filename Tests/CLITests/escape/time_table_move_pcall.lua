-- Attack: Moves the longest list that there can be, caught and begun again.
-- Expect: limit processor time

return {
  run = function(ctx, input)
    while true do pcall(table.move, {}, 1, math.maxinteger - 1, 2) end
  end,
}
