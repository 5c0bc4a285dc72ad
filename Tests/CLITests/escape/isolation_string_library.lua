-- Attack: Replaces a function of the string library.
-- Expect: internal read-only

return {
  run = function(ctx, input)
    string.upper = function() return "mine" end -- perigee: ignore P106 because it is the attack
    return ("x"):upper()
  end,
}
