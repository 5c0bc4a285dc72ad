-- Attack: Jumps to and fro.
-- Expect: limit processor time

return {
  run = function(ctx, input)
    goto a
    ::b:: goto a
    ::a:: goto b
  end,
}
