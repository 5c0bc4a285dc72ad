-- Attack: Hands eight megabytes to the host, for ever.
-- Expect: limit

return {
  run = function(ctx, input)
    local s = ("x"):rep(8 << 20)
    while true do pcall(time.parse, s) end
  end,
}
