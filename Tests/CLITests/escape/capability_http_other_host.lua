-- Attack: Sends a request to a host that is not on its list.
-- Expect: internal access.http lists

return {
  access = { http = { "api.example.com" } },
  limits = { seconds = 5 },
  run = function(ctx, input)
    return http.get("https://example.org/").body -- perigee: ignore W215 because it is the attack
  end,
}
