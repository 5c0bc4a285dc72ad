-- Attack: Requires an absolute path.
-- Expect: internal require takes a module

return {
  run = function(ctx, input)
    return require("/etc/passwd") -- perigee: ignore P158 because it is the attack
  end,
}
