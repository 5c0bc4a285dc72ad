-- Attack: Sends a request of eight megabytes to where it may not.
-- Expect: internal

return {
  access = { http = { "127.0.0.1" } },
  limits = { seconds = 5 },
  run = function(ctx, input)
    http.post("http://127.0.0.1/", { body = ("x"):rep(8 << 20) })
  end, -- perigee: ignore P132 because it is the attack
}
