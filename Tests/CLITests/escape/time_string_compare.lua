-- Attack: Compares two strings of four megabytes for ever.
-- Expect: limit

return {
  run = function(ctx, input)
    local a, b = ("x"):rep(1 << 22), ("x"):rep(1 << 22)
    while true do local _ = a < b, a == b end
  end,
}
