-- Attack: Unpacks far outside of the string.
-- Expect: internal

return {
  run = function(ctx, input)
    return string.unpack("s8", ("\xff"):rep(8))
  end,
}
