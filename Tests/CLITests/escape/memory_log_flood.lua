-- Attack: Writes to the log for ever.
-- Expect: limit

return {
  run = function(ctx, input)
    while true do log.info("flood") end
  end,
}
