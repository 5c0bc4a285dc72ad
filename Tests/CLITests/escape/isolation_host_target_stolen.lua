-- Attack: Makes a proxy whose target is a library, and writes through it.
-- Expect: internal

return {
  run = function(ctx, input)
    local proxy = setmetatable({}, { __target = string })
    rawset(proxy, "upper", function() return "mine" end)
    if ("x"):upper() == "X" then error("kept") end
    return "replaced"
  end,
}
