-- Attack: Ends the server.
-- Expect: internal

return {
  run = function(ctx, input)
    os.exit(0)
  end,
}
