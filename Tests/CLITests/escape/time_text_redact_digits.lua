-- Attack: Redacts a megabyte of digits without a break, for ever.
-- Expect: limit

return {
  run = function(ctx, input)
    local s = ("1"):rep(120000)
    while true do text.redact(s) end
  end,
}
