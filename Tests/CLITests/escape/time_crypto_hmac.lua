-- Attack: Signs with a key of four megabytes for ever.
-- Expect: limit

return {
  run = function(ctx, input)
    local s = ("x"):rep(4 << 20)
    while true do crypto.hmac(s, "x") end
  end,
}
