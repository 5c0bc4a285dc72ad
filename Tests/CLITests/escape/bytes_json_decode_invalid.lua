-- Attack: Decodes texts that are not JSON.
-- Expect: reply false false false false false false

return {
  run = function(ctx, input)
    local words = {}
    for i, s in ipairs({ "\"\xff\"", "\"\0\"", "{\"a\":1,}", "[1]\0", "\"\\ud800\"", "\xef\xbb\xbf1e999" }) do
      words[i] = tostring((pcall(json.decode, s)))
    end
    return table.concat(words, " ")
  end,
}
