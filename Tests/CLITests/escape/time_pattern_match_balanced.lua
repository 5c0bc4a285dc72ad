-- Attack: Looks for balanced brackets from each of a million open ones.
-- Expect: limit processor time

return {
  run = function(ctx, input)
    return ("("):rep(1000000):match("%b()")
  end,
}
