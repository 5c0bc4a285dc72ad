-- Attack: Replies with a function.
-- Expect: internal a function

return {
  run = function(ctx, input)
    return { text = "x", data = { print } }
  end,
}
