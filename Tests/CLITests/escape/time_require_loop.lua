-- Attack: Requires modules that are not there, for ever.
-- Expect: limit

return {
  run = function(ctx, input)
    while true do pcall(require, "lib.none") end
  end,
}
