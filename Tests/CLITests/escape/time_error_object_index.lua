-- Attack: Raises an object whose fields are made by a loop.
-- Expect: internal

return {
  run = function(ctx, input)
    error(setmetatable({}, { __index = function() while true do end end }))
  end,
}
