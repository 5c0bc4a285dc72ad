-- Attack: Loads functions of many upvalues and keeps them.
-- Expect: limit

return {
  run = function(ctx, input)
    local kept = {}
    local text = "local a = ... return function() return a end --" .. ("x"):rep(1000)
    while true do kept[#kept + 1] = load(text) end
  end,
}
