-- Attack: Replies with bytes that are not UTF-8.
-- Expect: internal UTF-8

return {
  run = function(ctx, input)
    return "a\xff\xfeb"
  end,
}
