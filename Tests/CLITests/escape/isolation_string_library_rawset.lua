-- Attack: Replaces a function of the string library with rawset.
-- Expect: internal read-only

return {
  run = function(ctx, input)
    rawset(string, "upper", function() return "mine" end)
    return ("x"):upper()
  end,
}
