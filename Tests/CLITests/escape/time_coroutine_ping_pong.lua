-- Attack: Goes between two coroutines, few instructions in each.
-- Expect: limit processor time

return {
  run = function(ctx, input)
    local co = coroutine.wrap(function() while true do coroutine.yield() end end)
    while true do co() end
  end,
}
