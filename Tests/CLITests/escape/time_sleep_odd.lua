-- Attack: Sleeps for odd lengths of time.
-- Expect: reply false false false false

return {
  run = function(ctx, input)
    local words = {}
    for i, s in ipairs({ -1, 0 / 0, math.huge, 1e300 }) do words[i] = tostring((pcall(time.sleep, s))) end
    return table.concat(words, " ")
  end,
}
