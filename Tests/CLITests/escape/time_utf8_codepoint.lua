-- Attack: Gets half a million code points as results.
-- Expect: internal

return {
  run = function(ctx, input)
    return select("#", utf8.codepoint(("é"):rep(2000000), 1, -1))
  end,
}
