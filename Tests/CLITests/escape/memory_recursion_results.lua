-- Attack: Returns one result more at each level.
-- Expect: internal

return {
  run = function(ctx, input)
    local function f(n)
      if n == 0 then return end
      return n, f(n - 1)
    end
    return select("#", f(10000000))
  end,
}
