-- Attack: Loops in C functions only, so that no Lua instruction is counted.
-- Expect: limit processor time

return {
  run = function(ctx, input)
    while true do pcall(pcall, error) end
  end,
}
