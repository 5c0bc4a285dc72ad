-- Attack: Reads the messages of another session.
-- Expect: reply 0

return {
  run = function(ctx, input)
    return tostring(#ctx.session.messages(1000))
  end,
}
