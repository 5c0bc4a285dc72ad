-- Attack: Joins four megabytes and a letter for ever.
-- Expect: limit

return {
  run = function(ctx, input)
    local s = ("x"):rep(1 << 22)
    while true do local _ = s .. "y" end
  end,
}
