-- Attack: Calls xpcall in its own handler without end.
-- Expect: limit|internal

return {
  run = function(ctx, input)
    local function handler() return xpcall(error, handler) end
    error(xpcall(error, handler) and "caught" or "caught")
  end,
}
