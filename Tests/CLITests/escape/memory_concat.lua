-- Attack: Concatenates a list to a string that is larger than the memory.
-- Expect: limit memory

return {
  run = function(ctx, input)
    local part, t = ("x"):rep(1 << 16), {}
    for i = 1, 100000 do t[i] = part end
    return table.concat(t)
  end,
}
