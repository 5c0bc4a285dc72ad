-- Attack: Loops while the prompt is made.
-- Expect: limit processor time

return {
  prompt = function(ctx) while true do pcall(error) end end,
}
