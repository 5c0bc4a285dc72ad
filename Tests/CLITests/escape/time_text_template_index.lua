-- Attack: Fills in from a table whose __index loops.
-- Expect: limit

return {
  run = function(ctx, input)
    return text.template("{x}", setmetatable({}, { __index = function() while true do end end }))
  end,
}
