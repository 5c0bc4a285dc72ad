-- Attack: Asks for dates that there are not.
-- Expect: internal

return {
  run = function(ctx, input)
    return os.date("%Ez%Q%", math.maxinteger)
  end,
}
