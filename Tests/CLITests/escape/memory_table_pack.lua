-- Attack: Packs a hundred thousand results again and again and keeps them.
-- Expect: limit

return {
  run = function(ctx, input)
    local t, kept = {}, {}
    for i = 1, 100000 do t[i] = i end
    while true do kept[#kept + 1] = table.pack(table.unpack(t)) end
  end,
}
