-- Attack: Is killed while hundreds of thousands of __close handlers are pending, each of which loops.
-- Expect: limit

return {
  run = function(ctx, input)
    local closing = setmetatable({}, { __close = function() while true do end end })
    local lines = {}
    for i = 1, 150 do lines[i] = "local c" .. i .. " <close> = closing" end
    local source = "local closing = ... local function deep(n) " .. table.concat(lines, " ")
      .. " if n > 0 then return (deep(n - 1)) end while true do end end deep(2500)"
    load(source)(closing)
  end, -- perigee: ignore P132 because it is the attack
}
