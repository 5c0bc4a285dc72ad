-- Attack: Replaces the state with rawset.
-- Expect: internal read-only

return {
  run = function(ctx, input)
    rawset(ctx.session, "state", { x = 1 })
    return "set"
  end,
}
