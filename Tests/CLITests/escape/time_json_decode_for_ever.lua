-- Attack: Decodes a long list for ever.
-- Expect: limit

return {
  run = function(ctx, input)
    local s = "[" .. ("1,"):rep(100000) .. "1]"
    while true do json.decode(s) end
  end,
}
