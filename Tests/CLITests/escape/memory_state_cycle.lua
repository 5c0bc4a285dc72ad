-- Attack: Keeps a table that holds itself in the session's state.
-- Expect: internal a cycle

return {
  run = function(ctx, input)
    ctx.session.state.x = ctx.session.state
    return "kept"
  end,
}
