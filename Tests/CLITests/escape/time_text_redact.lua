-- Attack: Redacts a megabyte of what might be cards, for ever.
-- Expect: limit

return {
  run = function(ctx, input)
    local s = ("4111 1111 1111 1112 a@b.c "):rep(4000)
    while true do text.redact(s) end
  end,
}
