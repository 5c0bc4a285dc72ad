-- Attack: Requires what is not a name.
-- Expect: reply false false false false

return {
  run = function(ctx, input)
    local words = {}
    for i, name in ipairs({ "", "lib.", ("lib.x"):rep(100000), "lib.\xff" }) do
      words[i] = tostring((pcall(require, name)))
    end
    return table.concat(words, " ")
  end,
}
