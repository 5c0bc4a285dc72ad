-- Attack: Starts branches for ever.
-- Expect: limit

return {
  run = function(ctx, input)
    while true do pcall(parallel, { function() end, function() error("x") end }) end
  end,
}
