-- Attack: Loops in the bitwise metamethods.
-- Expect: limit processor time

return {
  run = function(ctx, input)
    local function loop() while true do end end
    local t = setmetatable({}, {
      __band = loop, __bor = loop, __bxor = loop, __shl = loop, __shr = loop, __bnot = loop,
    })
    pcall(function() return ~t end)
    return t & 1
  end,
}
