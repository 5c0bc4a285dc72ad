-- Attack: Overflows the stack while the file loads.
-- Expect: refused overflow

local function f() return 1 + f() end
return { run = f, description = f() }
