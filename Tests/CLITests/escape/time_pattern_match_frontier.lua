-- Attack: Looks for frontiers that are nowhere, in all places.
-- Expect: limit processor time

return {
  run = function(ctx, input)
    local s = ("x"):rep(300000)
    while true do s:match("%f[%d].-%f[%D]b") end
  end,
}
