-- Attack: Uses whatever else the client may speak.
-- Expect: reply false false false false false

return {
  access = { http = { "api.example.com" } },
  limits = { seconds = 5 },
  run = function(ctx, input)
    local words = {}
    for i, scheme in ipairs({ "ftp", "dict", "ldap", "telnet", "HTTPS+UNIX" }) do
      words[i] = tostring((pcall(http.get, scheme .. "://api.example.com/")))
    end
    return table.concat(words, " ")
  end,
}
