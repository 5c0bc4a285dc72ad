-- Attack: Looks for the loaders and their paths.
-- Expect: internal

return {
  run = function(ctx, input)
    return package.loaded._G
  end,
}
