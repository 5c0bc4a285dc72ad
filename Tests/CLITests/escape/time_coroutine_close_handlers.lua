-- Attack: Makes and closes coroutines whose __close handlers make and close coroutines.
-- Expect: limit processor time

return {
  run = function(ctx, input)
    local function make()
      local co = coroutine.create(function()
        local guard <close> = setmetatable({}, { __close = function() make() end })
        coroutine.yield()
      end)
      coroutine.resume(co)
      coroutine.close(co)
    end
    while true do pcall(make) end
  end,
}
