-- Attack: Asks the cloud for its secrets.
-- Expect: internal

return {
  access = { http = { "169.254.169.254" } },
  limits = { seconds = 5 },
  run = function(ctx, input)
    return http.get("http://169.254.169.254/latest/meta-data/").body
  end,
}
