-- Attack: Raises an object whose __tostring loops.
-- Expect: limit processor time

return {
  run = function(ctx, input)
    error(setmetatable({}, { __tostring = function() while true do end end }))
  end,
}
