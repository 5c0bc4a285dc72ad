-- Attack: Raises a host's error with an empty code and a huge one inside.
-- Expect: internal

return {
  run = function(ctx, input)
    error({ code = "", message = "empty", detail = { code = ("x"):rep(1 << 20) } })
  end,
}
