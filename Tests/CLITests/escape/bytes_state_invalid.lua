-- Attack: Keeps bytes that are not UTF-8 in the state.
-- Expect: internal UTF-8

return {
  run = function(ctx, input)
    ctx.session.state["\xff"] = "\xfe"
    return "kept"
  end,
}
