-- Attack: Encodes a string of many escapes, six times its size.
-- Expect: limit

return {
  run = function(ctx, input)
    local s, kept = ("\1"):rep(1000000), {}
    while true do kept[#kept + 1] = json.encode({ s, #kept }) end
  end,
}
