-- Attack: Loops in a __close handler while the file loads.
-- Expect: refused Lua time

local guard <close> = setmetatable({}, { __close = function() while true do end end })
while true do end
