-- Attack: Dumps a function of its own as bytecode.
-- Expect: internal

return {
  run = function(ctx, input)
    return #string.dump(function() end) -- perigee: ignore P103 because it is the attack
  end,
}
