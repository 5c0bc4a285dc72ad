-- Attack: Replies with a key that is not UTF-8.
-- Expect: internal UTF-8

return {
  run = function(ctx, input)
    return { text = "x", data = { ["\xff"] = 1 } }
  end,
}
