-- Attack: Truncates a megabyte of accents that belong to one letter, for ever.
-- Expect: limit

return {
  run = function(ctx, input)
    local s = "e" .. ("\u{301}"):rep(500000)
    while true do text.truncate(s, 10) end
  end,
}
