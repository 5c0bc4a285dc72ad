-- Attack: Walks a list that has every element.
-- Expect: limit processor time

return {
  run = function(ctx, input)
    for _ in ipairs(setmetatable({}, { __index = function() return 1 end })) do end
  end, -- perigee: ignore P132 because it is the attack
}
