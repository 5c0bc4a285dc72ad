-- Attack: Makes strings of two hundred thousand arguments, for ever.
-- Expect: limit

return {
  run = function(ctx, input)
    local t = {}
    for i = 1, 200000 do t[i] = 65 end
    while true do string.char(table.unpack(t)) end
  end,
}
