-- Attack: Returns a definition with fields that there are not.
-- Expect: refused __index

return { run = function() return "ran" end, __index = {}, access = { file = "read" } }
