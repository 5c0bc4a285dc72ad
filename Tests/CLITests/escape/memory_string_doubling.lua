-- Attack: Doubles a string without end.
-- Expect: limit memory

return {
  run = function(ctx, input)
    local s = "x"
    while true do s = s .. s end
  end,
}
