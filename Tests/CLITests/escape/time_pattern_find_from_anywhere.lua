-- Attack: Tries a lazy repetition from each of a million places.
-- Expect: limit processor time

return {
  run = function(ctx, input)
    return ("x"):rep(1000000):find(".-b")
  end,
}
