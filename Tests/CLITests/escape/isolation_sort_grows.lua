-- Attack: Changes the table that is sorted, in its comparator.
-- Expect: internal

return {
  run = function(ctx, input)
    local t = {}
    for i = 1, 1000 do t[i] = 1000 - i end
    pcall(table.sort, t, function(a, b)
      for i = #t, 1, -1 do t[i] = nil end
      return a < b
    end)
    error("came back")
  end,
}
