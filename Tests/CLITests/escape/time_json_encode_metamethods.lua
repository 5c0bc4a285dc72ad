-- Attack: Encodes a table whose metamethods loop.
-- Expect: reply {}

return {
  run = function(ctx, input)
    local function loop() while true do end end
    return json.encode(setmetatable({}, { __index = loop, __len = loop, __pairs = loop, __tojson = loop }))
  end,
}
