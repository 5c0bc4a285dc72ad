-- Attack: Raises a message that is not UTF-8 and holds zero bytes.
-- Expect: internal

return {
  run = function(ctx, input)
    error("\xff\0\xfe\27[31m")
  end,
}
