-- Attack: Walks a megabyte of characters for ever.
-- Expect: limit processor time

return {
  run = function(ctx, input)
    local s = ("é"):rep(500000)
    while true do
      for _ in utf8.codes(s) do end
    end
  end,
}
