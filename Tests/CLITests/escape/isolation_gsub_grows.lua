-- Attack: Collects the string that gsub reads, in its callback.
-- Expect: reply 10000

return {
  run = function(ctx, input)
    local s = ("x"):rep(10000)
    local r = s:gsub("x", function()
      s = nil
      local _ = ("y"):rep(1000) .. tostring({})
      return "z"
    end)
    return tostring(#r)
  end,
}
