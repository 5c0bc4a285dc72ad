-- Attack: Doubles strings, catches the end of the memory, and begins again.
-- Expect: limit

return {
  run = function(ctx, input)
    while true do
      pcall(function()
        local s = "x"
        while true do s = s .. s end
      end)
    end
  end,
}
