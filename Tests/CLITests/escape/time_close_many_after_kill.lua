-- Attack: Takes a little time in each of a hundred __close handlers after the end.
-- Expect: limit processor time

return {
  run = function(ctx, input)
    local function deep(n)
      local guard <close> = setmetatable({}, { __close = function() for _ = 1, 1e9 do end end })
      if n == 0 then while true do end end
      deep(n - 1)
      return n
    end
    deep(100)
  end, -- perigee: ignore P132 because it is the attack
}
