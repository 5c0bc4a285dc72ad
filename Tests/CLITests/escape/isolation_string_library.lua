-- Attack: Replaces a function of the string library.
-- Expect: internal read-only

return {
  run = function(ctx, input)
    string.upper = function() return "mine" end
    return ("x"):upper()
  end,
}
