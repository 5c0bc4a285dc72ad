-- Attack: Reads the upvalues of a host's function.
-- Expect: internal

return {
  run = function(ctx, input)
    return debug.getupvalue(require, 1)
  end,
}
