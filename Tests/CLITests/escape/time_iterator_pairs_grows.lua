-- Attack: Adds fields to the table that it walks.
-- Expect: internal invalid key to 'next'

return {
  run = function(ctx, input)
    local t = { 1, 2, 3 }
    local n = 0
    for _ in pairs(t) do
      n = n + 1
      for i = 1, 100 do t["k" .. n .. "_" .. i] = i end
      t[n] = nil
      for i = 1, 100 do t["k" .. n .. "_" .. i] = nil end
    end
    error("invalid key to 'next'")
  end,
}
