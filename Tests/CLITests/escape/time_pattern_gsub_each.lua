-- Attack: Replaces each of a million characters, for ever.
-- Expect: limit

return {
  run = function(ctx, input)
    local s = ("x"):rep(500000)
    while true do s:gsub(".", "%0") end
  end,
}
