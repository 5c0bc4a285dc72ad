-- Attack: Keeps coroutines without end.
-- Expect: limit

return {
  run = function(ctx, input)
    local kept = {}
    while true do
      local co = coroutine.create(function() coroutine.yield() end)
      coroutine.resume(co)
      kept[#kept + 1] = co
    end
  end,
}
