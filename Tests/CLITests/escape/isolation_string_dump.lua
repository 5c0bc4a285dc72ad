-- Attack: Dumps a function of its own as bytecode.
-- Expect: internal

return {
  run = function(ctx, input)
    return #string.dump(function() end)
  end,
}
