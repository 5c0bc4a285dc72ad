-- Attack: Writes fields that nest and hold themselves to the log.
-- Expect: internal

return {
  run = function(ctx, input)
    local t = {}
    t.t = t
    log.info("cycle", t)
    return "logged"
  end,
}
