-- Attack: Matches a bomb of a pattern while the file loads.
-- Expect: refused too long without a pause

local _ = ("x"):rep(20000):find(".-.-.-.-.-.-b")
return { run = function() return "loaded" end }
