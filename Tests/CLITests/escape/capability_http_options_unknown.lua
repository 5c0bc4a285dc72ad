-- Attack: Hands options to the client that it must not have.
-- Expect: internal

return {
  access = { http = { "api.example.com" } },
  run = function(ctx, input)
    return http.get("http://api.example.com/", { proxy = "http://127.0.0.1:1", verify = false }).body -- perigee: ignore P153 because it is the attack
  end,
}
