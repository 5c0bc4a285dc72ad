-- Attack: Counts beyond the greatest integer.
-- Expect: reply false

return {
  access = { kv = "write" },
  run = function(ctx, input)
    pcall(kv.incr, "overflow", math.maxinteger, { scope = "session" })
    return tostring((pcall(kv.incr, "overflow", 1, { scope = "session" })))
  end,
}
