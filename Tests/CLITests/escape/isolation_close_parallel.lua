-- Attack: Starts branches in a __close handler after the end.
-- Expect: limit processor time

return {
  limits = { seconds = 30 },
  run = function(ctx, input)
    local guard <close> = setmetatable({}, {
      __close = function()
        parallel{ function() time.sleep(60) end, function() while true do end end }
      end,
    })
    while true do end
  end,
}
