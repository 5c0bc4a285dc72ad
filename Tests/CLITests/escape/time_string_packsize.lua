-- Attack: Measures a format that overflows.
-- Expect: internal

return {
  run = function(ctx, input)
    return string.packsize(("c2147483647"):rep(3))
  end,
}
