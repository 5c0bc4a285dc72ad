-- Attack: Writes bytes that are not UTF-8 to the log.
-- Expect: internal UTF-8

return {
  run = function(ctx, input)
    log.error("\xff\0")
    return "logged"
  end,
}
