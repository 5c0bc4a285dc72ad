-- Attack: Returns a definition that holds itself.
-- Expect: refused

local definition = { run = function() return "ran" end, limits = { seconds = 1 } }
definition.output = definition
return definition
