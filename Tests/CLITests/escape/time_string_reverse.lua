-- Attack: Turns four megabytes round for ever.
-- Expect: limit

return {
  run = function(ctx, input)
    local s = ("x"):rep(4000000)
    while true do s:reverse() end
  end,
}
