-- Attack: Loads chunks with very many constants, for ever.
-- Expect: limit

return {
  run = function(ctx, input)
    local parts = {}
    for i = 1, 20000 do parts[i] = i + 0.5 end
    local text = "return {" .. table.concat(parts, ",") .. "}"
    while true do load(text) end
  end,
}
