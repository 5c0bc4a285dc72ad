-- Attack: Loops in the function and again in the handler of its end.
-- Expect: limit processor time

return {
  run = function(ctx, input)
    while true do
      xpcall(function() while true do end end, function() while true do end end)
    end
  end,
}
