-- Attack: Loops in branches whose ends are caught.
-- Expect: limit processor time

return {
  run = function(ctx, input)
    while true do
      parallel.settle{ function() while true do end end, function() while true do pcall(error) end end }
    end
  end,
}
