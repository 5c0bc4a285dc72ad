-- Attack: Replies with an overlong slash.
-- Expect: internal UTF-8

return {
  run = function(ctx, input)
    return "\xc0\xaf"
  end,
}
