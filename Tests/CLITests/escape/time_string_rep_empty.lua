-- Attack: Repeats nothing a thousand million times.
-- Expect: reply 0

return {
  run = function(ctx, input)
    return tostring(#(""):rep(1000000000))
  end,
}
