-- Attack: Ends the server.
-- Expect: internal

return {
  run = function(ctx, input)
    os.exit(0) -- perigee: ignore P103 because it is the attack
  end, -- perigee: ignore P132 because it is the attack
}
