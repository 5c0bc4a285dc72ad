-- Attack: Loops in the stub, which answers when no model is configured.
-- Expect: limit processor time

return {
  prompt = "You loop.",
  stub = function(ctx, message) while true do pcall(error) end end,
}
