-- Attack: Overflows the stack and recurses in the handler of that.
-- Expect: limit|internal

return {
  run = function(ctx, input)
    local function f() return 1 + f() end
    local function handler() return f() end
    error(tostring(xpcall(f, handler)))
  end,
}
