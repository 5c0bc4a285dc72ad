-- Attack: Fills the memory while the file loads.
-- Expect: refused memory

local t = {}
while true do t[#t + 1] = ("x"):rep(100000) .. #t end
