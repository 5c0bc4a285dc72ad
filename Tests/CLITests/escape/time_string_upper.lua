-- Attack: Changes the case of four megabytes for ever.
-- Expect: limit

return {
  run = function(ctx, input)
    local s = ("x"):rep(4000000)
    while true do s:upper():lower() end
  end,
}
