-- Attack: Asks for random bytes for ever.
-- Expect: limit

return {
  run = function(ctx, input)
    while true do crypto.random(1024) end
  end,
}
