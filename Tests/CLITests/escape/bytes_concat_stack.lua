-- Attack: Makes the stack grow and the garbage be collected while __concat runs, which corrupts memory in some Luas.
-- Expect: reply alive

return {
  run = function(ctx, input)
    local meta = {}
    local function deep(n)
      if n == 0 then return 1 end
      local below = deep(n - 1)
      return below
    end
    meta.__concat = function()
      deep(150)
      for i = 1, 50 do local garbage = { i } end
      return "joined"
    end
    local function object() return setmetatable({}, meta) end
    for _ = 1, 200 do
      pcall(function() return object() .. "/" .. object() .. 1 .. object() end)
      pcall(function() return object() .. object() end)
    end
    return "alive"
  end,
}
