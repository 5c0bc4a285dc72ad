-- Attack: Replaces a method of all strings by their metatable.
-- Expect: internal

return {
  run = function(ctx, input)
    getmetatable("").__index.upper = function() return "mine" end
    return ("x"):upper()
  end,
}
