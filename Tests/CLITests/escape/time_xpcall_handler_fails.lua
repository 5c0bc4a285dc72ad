-- Attack: Fails in the handler of the handler of the handler.
-- Expect: limit processor time

return {
  run = function(ctx, input)
    local function handler() error("again") end
    while true do xpcall(error, handler, "first") end
  end,
}
