-- Attack: Unpacks a hundred thousand values, for ever.
-- Expect: limit processor time

return {
  run = function(ctx, input)
    local t = {}
    for i = 1, 100000 do t[i] = i end
    while true do select("#", table.unpack(t)) end
  end,
}
