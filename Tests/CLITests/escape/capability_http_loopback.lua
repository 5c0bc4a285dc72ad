-- Attack: Asks the server itself, at a host that its list names.
-- Expect: internal

return {
  access = { http = { "127.0.0.1", "127.0.0.1:8080" } },
  limits = { seconds = 5 },
  run = function(ctx, input)
    return http.get("http://127.0.0.1:8080/metrics").body
  end,
}
