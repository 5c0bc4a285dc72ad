-- Attack: Yields to the host as if the run were its own coroutine.
-- Expect: internal outside a coroutine

return {
  run = function(ctx, input)
    coroutine.yield("hello")
    return "went on"
  end,
}
