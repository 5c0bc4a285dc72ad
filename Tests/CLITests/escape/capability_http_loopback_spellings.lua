-- Attack: Asks loopback in decimal, octal, hexadecimal and short.
-- Expect: reply false false false false false false

return {
  access = { http = { "127.0.0.1", "2130706433", "0x7f000001", "127.1", "0" } },
  limits = { seconds = 5 },
  run = function(ctx, input)
    local words = {}
    for i, host in ipairs({ "2130706433", "0177.0.0.1", "0x7f000001", "127.1", "0", "0x7f.0.0.1" }) do
      words[i] = tostring((pcall(http.get, "http://" .. host .. ":8080/")))
    end
    return table.concat(words, " ")
  end,
}
