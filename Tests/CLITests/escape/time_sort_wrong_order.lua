-- Attack: Sorts with a comparator that is never consistent.
-- Expect: internal

return {
  run = function(ctx, input)
    local t = {}
    for i = 1, 5000 do t[i] = i end
    table.sort(t, function() return true end)
    error("the order is made up")
  end,
}
