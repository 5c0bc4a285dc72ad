-- Attack: Prints for ever.
-- Expect: limit

return {
  run = function(ctx, input)
    while true do print("flood", ("x"):rep(10000)) end
  end,
}
