-- Attack: Decodes lists nested a hundred thousand deep.
-- Expect: internal nested deeper

return {
  run = function(ctx, input)
    json.decode(("["):rep(100000) .. ("]"):rep(100000))
  end, -- perigee: ignore P132 because it is the attack
}
