-- Attack: Asks the server itself by a name that its list names.
-- Expect: internal

return {
  access = { http = { "localhost:8080" } },
  limits = { seconds = 5 },
  run = function(ctx, input)
    return http.get("http://localhost:8080/metrics").body
  end,
}
