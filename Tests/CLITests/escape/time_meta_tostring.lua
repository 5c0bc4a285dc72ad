-- Attack: Loops in __tostring, called by tostring.
-- Expect: limit processor time

return {
  run = function(ctx, input)
    return tostring(setmetatable({}, { __tostring = function() while true do end end }))
  end,
}
