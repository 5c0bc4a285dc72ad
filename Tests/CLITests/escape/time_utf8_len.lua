-- Attack: Counts a megabyte of characters for ever.
-- Expect: limit processor time

return {
  run = function(ctx, input)
    local s = ("x"):rep(1000000)
    while true do utf8.len(s) end
  end,
}
