-- Attack: Sets a finalizer, which would run at any allocation, on any run's time.
-- Expect: internal __gc is not allowed

return {
  run = function(ctx, input)
    setmetatable({}, { __gc = function() while true do end end })
    return "set"
  end,
}
