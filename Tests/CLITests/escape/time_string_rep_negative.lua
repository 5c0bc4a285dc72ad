-- Attack: Repeats minus once, for ever.
-- Expect: limit processor time

return {
  run = function(ctx, input)
    while true do pcall(string.rep, "x", -1) end
  end,
}
