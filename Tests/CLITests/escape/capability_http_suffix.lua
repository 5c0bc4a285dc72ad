-- Attack: Asks for a host that only begins as one on the list.
-- Expect: internal access.http lists

return {
  access = { http = { "api.example.com" } },
  limits = { seconds = 5 },
  run = function(ctx, input)
    return http.get("http://api.example.com.evil.invalid/").body -- perigee: ignore W215 because it is the attack
  end,
}
