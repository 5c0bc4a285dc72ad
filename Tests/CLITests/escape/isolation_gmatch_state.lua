-- Attack: Goes on with an iterator of an earlier turn.
-- Expect: reply a

local iterator
return {
  run = function(ctx, input)
    iterator = iterator or ("abc"):gmatch(".")
    return iterator()
  end,
}
