-- Attack: Names a variable in bytes that are not UTF-8.
-- Expect: refused not UTF-8

local ÿ = 1
return { run = function() return "loaded" end }
