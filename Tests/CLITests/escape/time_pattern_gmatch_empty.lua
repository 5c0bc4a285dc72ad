-- Attack: Walks a million empty matches, for ever.
-- Expect: limit processor time

return {
  run = function(ctx, input)
    local s = ("x"):rep(1000000)
    while true do
      for _ in s:gmatch("") do end
    end
  end,
}
