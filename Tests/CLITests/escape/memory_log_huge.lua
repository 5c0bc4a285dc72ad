-- Attack: Writes lines of 64 KiB to the log.
-- Expect: reply logged

return {
  run = function(ctx, input)
    local s = ("x"):rep(1 << 16)
    for _ = 1, 2 do log.warn(s, { field = s }) end
    return "logged"
  end,
}
