-- Attack: Looks for the last of a million characters, for ever.
-- Expect: limit processor time

return {
  run = function(ctx, input)
    local s = ("é"):rep(500000)
    while true do utf8.offset(s, -400000) end
  end,
}
