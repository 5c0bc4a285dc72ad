-- Attack: Loops while the file loads, caught.
-- Expect: refused Lua time

while true do pcall(function() while true do end end) end
return { run = function() return "loaded" end }
