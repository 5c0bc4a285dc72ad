-- Attack: Compares results whose fields are made by a loop.
-- Expect: limit

return {
  run = function(ctx, input)
    return guard.same("x", { setmetatable({}, { __index = function() while true do end end }) })
  end,
}
