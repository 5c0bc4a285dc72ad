-- Attack: Starts a program.
-- Expect: internal

return {
  run = function(ctx, input)
    return os.execute("touch /tmp/perigee-was-here")
  end,
}
