-- Attack: Asks private networks.
-- Expect: reply false false false false

return {
  access = { http = { "10.0.0.1", "192.168.0.1", "172.16.0.1", "[fd00::1]" } },
  limits = { seconds = 5 },
  run = function(ctx, input)
    local words = {}
    for i, host in ipairs({ "10.0.0.1", "192.168.0.1", "172.16.0.1", "[fd00::1]" }) do
      words[i] = tostring((pcall(http.get, "http://" .. host .. "/", { timeout = 0.5 })))
    end
    return table.concat(words, " ")
  end,
}
