-- Attack: Loops in the function that gets the reply.
-- Expect: limit processor time

return {
  run = function(ctx, input) return "ran" end,
  after = function(ctx, reply) while true do pcall(error) end end,
}
