-- Attack: Fills in a template whose values are larger than the memory.
-- Expect: limit memory

return {
  run = function(ctx, input)
    return text.template(("{x}"):rep(1000), { x = ("x"):rep(1 << 20) })
  end,
}
