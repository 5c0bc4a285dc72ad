-- Attack: Loops in each arithmetic metamethod, one after the other.
-- Expect: limit processor time

return {
  run = function(ctx, input)
    local function loop() while true do end end
    local t = setmetatable({}, {
      __add = loop, __sub = loop, __mul = loop, __div = loop, __mod = loop, __pow = loop, __unm = loop,
      __idiv = loop,
    })
    while true do
      pcall(function() return t + 1 end)
      pcall(function() return t - 1 end)
      pcall(function() return -t end)
      pcall(function() return t // t end)
    end
  end,
}
