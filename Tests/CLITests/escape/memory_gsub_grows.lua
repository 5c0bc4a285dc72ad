-- Attack: Replaces each letter with a megabyte.
-- Expect: limit memory

return {
  run = function(ctx, input)
    return (("x"):rep(1000):gsub("x", ("y"):rep(1 << 20)))
  end,
}
