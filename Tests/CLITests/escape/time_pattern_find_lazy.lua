-- Attack: Nests seven lazy repetitions.
-- Expect: limit processor time

return {
  run = function(ctx, input)
    return ("x"):rep(20000):find(".-.-.-.-.-.-b")
  end,
}
