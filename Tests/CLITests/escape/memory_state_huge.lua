-- Attack: Keeps eight megabytes in the session's state.
-- Expect: internal

return {
  run = function(ctx, input)
    ctx.session.state.x = ("x"):rep(8 << 20)
    return "kept"
  end,
}
