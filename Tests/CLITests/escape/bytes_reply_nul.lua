-- Attack: Keeps a zero byte in the session and reads what is behind it.
-- Expect: reply a?b

return {
  run = function(ctx, input)
    ctx.session.state.x = (ctx.session.state.x or "a\0b")
    return (ctx.session.state.x:gsub("\0", "?"))
  end,
}
