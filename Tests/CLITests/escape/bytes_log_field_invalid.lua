-- Attack: Writes a field that is not UTF-8 to the log.
-- Expect: internal UTF-8

return {
  run = function(ctx, input)
    log.error("x", { ["\xfe"] = "\xff\0" })
    return "logged"
  end,
}
