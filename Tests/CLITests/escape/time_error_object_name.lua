-- Attack: Raises an object with a __name of a megabyte.
-- Expect: internal

return {
  run = function(ctx, input)
    error(setmetatable({}, { __name = ("x"):rep(1 << 20) }))
  end,
}
