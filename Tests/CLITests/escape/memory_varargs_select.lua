-- Attack: Selects from very many arguments, for ever.
-- Expect: limit

return {
  run = function(ctx, input)
    local t = {}
    for i = 1, 100000 do t[i] = i end
    local function f(...)
      local sum = 0
      for i = 1, select("#", ...) do sum = sum + (select(i, ...)) end
      return sum
    end
    return tostring(f(table.unpack(t)))
  end,
}
