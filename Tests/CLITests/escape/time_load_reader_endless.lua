-- Attack: Loads from a function that never ends its text.
-- Expect: internal

return {
  run = function(ctx, input)
    load(function() return "x " end)
    error("came back")
  end,
}
