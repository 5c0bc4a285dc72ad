-- Attack: Loops in a coroutine of a coroutine and catches the error there.
-- Expect: limit processor time

return {
  run = function(ctx, input)
    while true do
      coroutine.wrap(function()
        coroutine.wrap(function() while true do pcall(error) end end)()
      end)()
    end
  end,
}
