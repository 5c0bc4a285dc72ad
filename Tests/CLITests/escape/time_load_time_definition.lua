-- Attack: Returns a definition whose metamethods loop.
-- Expect: refused an agent needs a body

return setmetatable({}, {
  __index = function() while true do end end, __pairs = function() while true do end end,
})
