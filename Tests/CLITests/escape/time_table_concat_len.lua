-- Attack: Concatenates a million million empty strings.
-- Expect: limit processor time

return {
  run = function(ctx, input)
    return table.concat(setmetatable({}, {
      __len = function() return 1 << 40 end, __index = function() return "" end,
    }))
  end,
}
