-- Attack: Backtracks through captures and back references.
-- Expect: limit processor time

return {
  run = function(ctx, input)
    return ("a"):rep(3000):match("(a*)(a*)(a*)(a*)%1%2%3%4b")
  end,
}
