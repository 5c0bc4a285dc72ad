-- Attack: Hides the host behind a user's name that is on the list.
-- Expect: internal

return {
  access = { http = { "api.example.com" } },
  limits = { seconds = 5 },
  run = function(ctx, input)
    return http.get("https://api.example.com@127.0.0.1/").body
  end,
}
