-- Attack: Catches that the memory is full, keeps what it has, and goes on.
-- Expect: limit

return {
  run = function(ctx, input)
    local kept = {}
    while true do
      pcall(function()
        while true do kept[#kept + 1] = ("x"):rep(100000) .. #kept end
      end)
    end
  end,
}
