-- Attack: Replaces functions of the host for other runs.
-- Expect: reply false false false false

return {
  run = function(ctx, input)
    local words = {}
    for i, module in ipairs({ http, db, kv, json }) do
      words[i] = tostring((pcall(function() module.get = print end)))
    end
    return table.concat(words, " ")
  end,
}
