-- Attack: Fills weak tables, which cost the collector most.
-- Expect: limit

return {
  run = function(ctx, input)
    local kept = {}
    while true do
      local key = {}
      kept[#kept + 1] = setmetatable({ [key] = key }, { __mode = "k" })
    end
  end,
}
