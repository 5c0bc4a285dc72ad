-- Attack: Changes what JSON's null is.
-- Expect: internal

return {
  run = function(ctx, input)
    json.null.x = 1
    return "set"
  end,
}
