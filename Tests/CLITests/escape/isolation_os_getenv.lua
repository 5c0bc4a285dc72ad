-- Attack: Reads the server's environment.
-- Expect: internal

return {
  run = function(ctx, input)
    return os.getenv("PATH") -- perigee: ignore P103 because it is the attack
  end,
}
