-- Attack: Packs with a format of a million padding bytes, for ever.
-- Expect: limit

return {
  run = function(ctx, input)
    local f = ("x"):rep(1000000)
    while true do string.pack(f) end
  end,
}
