-- Attack: Replaces with a quadratic pattern.
-- Expect: limit processor time

return {
  run = function(ctx, input)
    return (("x"):rep(100000):gsub(".-b", ""))
  end,
}
