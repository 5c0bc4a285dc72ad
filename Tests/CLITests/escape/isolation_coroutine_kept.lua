-- Attack: Keeps a coroutine for the next turn.
-- Expect: reply 1

local kept
return {
  run = function(ctx, input)
    kept = kept or coroutine.wrap(function()
      for i = 1, 10 do coroutine.yield(i) end
    end)
    return tostring(kept())
  end,
}
