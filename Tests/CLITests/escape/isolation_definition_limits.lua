-- Attack: Gives itself limits that are none.
-- Expect: refused limits

return { run = function() return "ran" end, limits = { seconds = 1e300, steps = -1, tokens = 0 / 0 } }
