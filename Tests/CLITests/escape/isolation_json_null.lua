-- Attack: Changes what JSON's null is.
-- Expect: internal

return {
  run = function(ctx, input)
    json.null.x = 1 -- perigee: ignore P106 because it is the attack
    return "set"
  end,
}
