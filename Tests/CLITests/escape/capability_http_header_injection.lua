-- Attack: Injects a header behind a line's end.
-- Expect: reply invalid_arguments invalid_arguments invalid_arguments invalid_arguments

return {
  access = { http = { "api.example.com" } },
  limits = { seconds = 5 },
  run = function(ctx, input)
    local words = {}
    local attempts = { { x = "a\r\nhost: evil" }, { ["x: y\r\nz"] = "a" }, { x = "a\nb" }, { x = "a\0b" } }
    for i, headers in ipairs(attempts) do
      local _, why = pcall(http.get, "http://api.example.com/", { headers = headers })
      words[i] = tostring(why.code)
    end
    return table.concat(words, " ")
  end,
}
