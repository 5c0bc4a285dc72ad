-- Attack: Writes lines of a quarter of a megabyte to the log.
-- Expect: reply logged

return {
  run = function(ctx, input)
    local s = ("x"):rep(1 << 18)
    for _ = 1, 2 do log.warn(s, { field = s }) end
    return "logged"
  end,
}
