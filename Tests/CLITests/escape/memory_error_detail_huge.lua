-- Attack: Raises a code of its own with a detail of eight megabytes.
-- Expect: out_of_stock|limit

return {
  run = function(ctx, input)
    error({ code = "out_of_stock", message = "none", detail = { ("x"):rep(8 << 20) } })
  end,
}
