-- Attack: Keeps values for odd lengths of time.
-- Expect: reply false false false

return {
  access = { kv = "write" },
  run = function(ctx, input)
    local words = {}
    for i, ttl in ipairs({ -1, 0 / 0, math.huge }) do
      words[i] = tostring((pcall(kv.set, "x", 1, { ttl = ttl })))
    end
    return table.concat(words, " ")
  end,
}
