-- Attack: Decodes a number of a million digits for ever.
-- Expect: limit

return {
  run = function(ctx, input)
    local s = ("1"):rep(1000000) .. "." .. ("1"):rep(1000000) .. "e-1000000"
    while true do pcall(json.decode, s) end
  end,
}
