-- Attack: Encodes a table that holds itself.
-- Expect: internal a cycle

return {
  run = function(ctx, input)
    local t = {}
    t.t = t
    json.encode(t)
  end, -- perigee: ignore P132 because it is the attack
}
