-- Attack: Reads a text of the workspace without access to it.
-- Expect: internal access

return {
  run = function(ctx, input)
    return files.read("rules.txt") -- perigee: ignore W213 because it is the attack
  end,
}
