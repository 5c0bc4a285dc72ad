-- Attack: Formats with a width of a hundred million.
-- Expect: internal

return {
  run = function(ctx, input)
    return string.format("%100000000d", 1)
  end,
}
