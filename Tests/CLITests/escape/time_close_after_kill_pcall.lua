-- Attack: Loops behind pcall in a __close handler that runs because the budget is gone.
-- Expect: limit processor time

return {
  run = function(ctx, input)
    local guard <close> = setmetatable({}, {
      __close = function() while true do pcall(function() while true do end end) end end,
    })
    while true do end
  end,
}
