-- Attack: Raises a code of eight megabytes.
-- Expect: internal

return {
  run = function(ctx, input)
    error({ code = ("x"):rep(8 << 20), message = "none" })
  end,
}
