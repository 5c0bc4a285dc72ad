-- Attack: Loops in a __close handler that runs because the budget is gone.
-- Expect: limit processor time

return {
  run = function(ctx, input)
    local guard <close> = setmetatable({}, { __close = function() while true do end end })
    while true do end
  end,
}
