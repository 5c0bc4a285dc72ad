-- Attack: Matches forty optional letters before the same forty letters.
-- Expect: limit processor time

return {
  run = function(ctx, input)
    return ("a"):rep(40):find(("a?"):rep(40) .. ("a"):rep(40) .. "b")
  end,
}
