-- Attack: Raises a host's error with a code that is not UTF-8.
-- Expect: internal

return {
  run = function(ctx, input)
    error({ code = "\xff\r\nx: y", message = "code" })
  end,
}
