-- Attack: Reads what the turn of another session left in the state.
-- Expect: reply nil

return {
  run = function(ctx, input)
    local before = tostring(ctx.session.state.secret)
    ctx.session.state.secret = "mine"
    return before
  end,
}
