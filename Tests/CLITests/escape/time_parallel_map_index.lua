-- Attack: Maps over a list whose __index loops.
-- Expect: limit

return {
  run = function(ctx, input)
    local list = setmetatable({}, {
      __len = function() return 5 end, __index = function() while true do end end,
    })
    parallel.map(list, print)
  end, -- perigee: ignore P132 because it is the attack
}
