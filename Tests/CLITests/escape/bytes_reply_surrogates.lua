-- Attack: Replies with half of a surrogate pair.
-- Expect: internal UTF-8

return {
  run = function(ctx, input)
    return "\xed\xa0\x80"
  end,
}
