-- Attack: Loops in __len, called by the operator.
-- Expect: limit processor time

return {
  run = function(ctx, input)
    return #setmetatable({}, { __len = function() while true do end end })
  end,
}
