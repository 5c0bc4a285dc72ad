-- Attack: Redacts a megabyte of signs of addresses, for ever.
-- Expect: limit

return {
  run = function(ctx, input)
    local s = ("a.@"):rep(40000)
    while true do text.redact(s) end
  end,
}
