-- Attack: Formats a string into itself, twice, without end.
-- Expect: limit memory

return {
  run = function(ctx, input)
    local s = "x"
    while true do s = string.format("%s%s", s, s) end
  end,
}
