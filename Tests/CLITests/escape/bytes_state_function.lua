-- Attack: Keeps a function in the state.
-- Expect: internal a function

return {
  run = function(ctx, input)
    ctx.session.state.f = print
    return "kept"
  end,
}
