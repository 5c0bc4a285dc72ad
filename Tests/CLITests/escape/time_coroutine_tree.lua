-- Attack: Starts ninety coroutines in each of ninety coroutines, thirty levels deep.
-- Expect: limit processor time

return {
  run = function(ctx, input)
    local function f(n)
      for _ = 1, n > 0 and 90 or 0 do coroutine.wrap(f)(n - 1) end
    end
    f(30)
    return "done"
  end,
}
