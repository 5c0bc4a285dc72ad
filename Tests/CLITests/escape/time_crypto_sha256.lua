-- Attack: Digests eight megabytes for ever.
-- Expect: limit

return {
  run = function(ctx, input)
    local s = ("x"):rep(8 << 20)
    while true do crypto.sha256(s) end
  end,
}
