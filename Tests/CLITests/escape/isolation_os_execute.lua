-- Attack: Starts a program.
-- Expect: internal

return {
  run = function(ctx, input)
    return os.execute("touch /tmp/perigee-was-here") -- perigee: ignore P103 because it is the attack
  end,
}
