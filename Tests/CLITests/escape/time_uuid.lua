-- Attack: Makes identifiers for ever.
-- Expect: limit

return {
  run = function(ctx, input)
    while true do uuid() end
  end,
}
