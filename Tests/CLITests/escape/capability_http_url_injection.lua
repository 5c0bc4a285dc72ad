-- Attack: Injects a line's end in the URL and the method.
-- Expect: reply invalid_arguments invalid_arguments

return {
  access = { http = { "api.example.com" } },
  limits = { seconds = 5 },
  run = function(ctx, input)
    local _, a = pcall(http.get, "http://api.example.com/x\r\nhost: evil\r\n")
    local method = "GET / HTTP/1.1\r\nx: y\r\n"
    local _, b = pcall(http.request, { url = "http://api.example.com/", method = method })
    return a.code .. " " .. b.code
  end,
}
