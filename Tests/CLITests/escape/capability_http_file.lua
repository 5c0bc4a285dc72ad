-- Attack: Reads a file by its URL.
-- Expect: internal

return {
  access = { http = { "localhost", "etc" } },
  run = function(ctx, input)
    return http.get("file:///etc/passwd").body
  end,
}
