-- Attack: Reads the server's environment.
-- Expect: internal

return {
  run = function(ctx, input)
    return os.getenv("PATH")
  end,
}
