-- Attack: Replaces the state by a table whose metamethods loop.
-- Expect: reply kept

return {
  run = function(ctx, input)
    local function loop() while true do end end
    ctx.session.state = setmetatable({}, { __index = loop, __pairs = loop, __len = loop })
    return "kept"
  end,
}
