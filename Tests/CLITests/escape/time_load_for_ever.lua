-- Attack: Loads small chunks for ever.
-- Expect: limit

return {
  run = function(ctx, input)
    while true do load("return function() return 1 end")() end
  end,
}
