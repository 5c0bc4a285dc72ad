-- Attack: Redefines a global function.
-- Expect: internal assignment to global

return {
  run = function(ctx, input)
    function print() return "mine" end
    return "wrote"
  end,
}
