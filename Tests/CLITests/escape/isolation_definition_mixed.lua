-- Attack: Returns definitions of the wrong types.
-- Expect: refused 'run' must be a function

return { run = "not a function", limits = "none", access = 5, tools = { 1, x = 2 } }
