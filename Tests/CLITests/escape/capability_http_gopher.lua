-- Attack: Speaks to any port by gopher.
-- Expect: internal

return {
  access = { http = { "api.example.com" } },
  run = function(ctx, input)
    return http.get("gopher://api.example.com:70/_x").body
  end,
}
