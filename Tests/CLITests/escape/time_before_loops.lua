-- Attack: Loops in the function that gets every message first.
-- Expect: limit processor time

return {
  before = function(ctx, message) while true do pcall(error) end end,
  run = function(ctx, input) return "ran" end,
}
