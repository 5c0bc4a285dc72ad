-- Attack: Loops in the __index of a replacement table.
-- Expect: limit

return {
  run = function(ctx, input)
    return (("x"):gsub("x", setmetatable({}, { __index = function() while true do end end })))
  end,
}
