-- Attack: Loops in __lt and __le.
-- Expect: limit processor time

return {
  run = function(ctx, input)
    local t = setmetatable({}, {
      __lt = function() while true do end end, __le = function() while true do end end,
    })
    pcall(function() return t < t end)
    return t <= t
  end,
}
