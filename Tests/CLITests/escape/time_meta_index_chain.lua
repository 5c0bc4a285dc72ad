-- Attack: Looks each missing key up as the next one, caught for ever.
-- Expect: limit processor time

return {
  run = function(ctx, input)
    local t = setmetatable({}, { __index = function(t, k) return t[k + 1] end })
    while true do pcall(function() return t[1] end) end
  end,
}
