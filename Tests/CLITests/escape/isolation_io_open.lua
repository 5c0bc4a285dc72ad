-- Attack: Opens a file.
-- Expect: internal

return {
  run = function(ctx, input)
    return io.open("/etc/passwd"):read("a") -- perigee: ignore P103 because it is the attack
  end,
}
