-- Attack: Loops in __tostring, called by string.format, where a C function is in the way.
-- Expect: limit

return {
  run = function(ctx, input)
    while true do
      pcall(string.format, "%s", setmetatable({}, { __tostring = function() while true do end end }))
    end
  end,
}
