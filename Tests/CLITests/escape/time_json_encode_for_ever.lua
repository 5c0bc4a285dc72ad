-- Attack: Encodes a long list for ever.
-- Expect: limit

return {
  run = function(ctx, input)
    local t = {}
    for i = 1, 100000 do t[i] = i end
    while true do json.encode(t) end
  end,
}
