-- Attack: Asks loopback as an IPv4 address in IPv6.
-- Expect: internal

return {
  access = { http = { "[::ffff:127.0.0.1]", "[::1]" } },
  limits = { seconds = 5 },
  run = function(ctx, input)
    return http.get("http://[::ffff:127.0.0.1]/").body
  end,
}
