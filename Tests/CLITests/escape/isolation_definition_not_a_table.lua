-- Attack: Returns no definition.
-- Expect: refused an agent's file returns a table

return function() return "ran" end
