-- Attack: Sets a table as its own __index.
-- Expect: internal loop

return {
  run = function(ctx, input)
    local t = setmetatable({}, {})
    getmetatable(t).__index = t
    return t.x
  end,
}
