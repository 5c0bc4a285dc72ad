-- Attack: Returns a reply of eight megabytes.
-- Expect: internal

return {
  run = function(ctx, input)
    return ("x"):rep(8 << 20)
  end,
}
