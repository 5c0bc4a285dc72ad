-- Attack: Leaves a block with a __close handler for ever.
-- Expect: limit processor time

return {
  run = function(ctx, input)
    local mt = { __close = function() end }
    while true do
      local guard <close> = setmetatable({}, mt)
    end
  end,
}
