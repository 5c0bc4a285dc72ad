-- Attack: Replies with what is no number in JSON.
-- Expect: internal

return {
  run = function(ctx, input)
    return { text = "x", data = { 0 / 0, math.huge } }
  end,
}
