-- Attack: Encodes a table in which each level holds the next one twice.
-- Expect: limit

return {
  run = function(ctx, input)
    local t = { 1 }
    for _ = 1, 100 do t = { t, t } end
    json.encode(t)
  end, -- perigee: ignore P132 because it is the attack
}
