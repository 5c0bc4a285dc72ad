-- Attack: Sorts lists made to be slow, again and again.
-- Expect: limit processor time

return {
  run = function(ctx, input)
    local t = {}
    for i = 1, 20000 do t[i] = i % 7 end
    while true do table.sort(t, function(a, b) return a < b end) end
  end,
}
