-- Attack: Sends a request without access to any host.
-- Expect: internal access

return {
  run = function(ctx, input)
    return http.get("https://example.com/").body -- perigee: ignore W213 because it is the attack
  end,
}
