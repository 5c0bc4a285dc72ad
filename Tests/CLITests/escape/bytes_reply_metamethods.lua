-- Attack: Replies with text that is no string.
-- Expect: internal text

return {
  run = function(ctx, input)
    return { text = setmetatable({}, { __tostring = function() return "x" end }) }
  end,
}
