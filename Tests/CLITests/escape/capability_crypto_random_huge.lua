-- Attack: Asks for a gigabyte of random bytes.
-- Expect: internal

return {
  run = function(ctx, input)
    return #crypto.random(1 << 30)
  end,
}
