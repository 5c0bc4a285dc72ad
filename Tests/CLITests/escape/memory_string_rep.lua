-- Attack: Repeats a letter until the memory is full.
-- Expect: limit memory

return {
  run = function(ctx, input)
    local kept = {}
    while true do kept[#kept + 1] = ("x"):rep(1 << 20) .. #kept end
  end,
}
