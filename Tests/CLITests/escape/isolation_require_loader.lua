-- Attack: Looks for the loaders and their paths.
-- Expect: internal

return {
  run = function(ctx, input)
    return package.loaded._G -- perigee: ignore P103 because it is the attack
  end,
}
