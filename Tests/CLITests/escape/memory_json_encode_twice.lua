-- Attack: Encodes its own encoding without end.
-- Expect: limit|internal

return {
  run = function(ctx, input)
    local s = "\""
    while true do s = json.encode(s) end
  end,
}
