-- Attack: Leaves suspended coroutines whose __close handlers loop.
-- Expect: limit processor time

return {
  run = function(ctx, input)
    local kept = {}
    for i = 1, 50 do
      kept[i] = coroutine.wrap(function()
        local guard <close> = setmetatable({}, { __close = function() while true do end end })
        coroutine.yield()
      end)
      kept[i]()
    end
    while true do end
  end,
}
