-- Attack: Raises a code that holds a line's end and a header.
-- Expect: internal

return {
  run = function(ctx, input)
    error({ code = "a\r\nset-cookie: x", message = "none" })
  end,
}
