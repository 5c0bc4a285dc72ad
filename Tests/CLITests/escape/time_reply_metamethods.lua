-- Attack: Returns a reply whose fields are made by a loop.
-- Expect: limit

return {
  run = function(ctx, input)
    return setmetatable({}, { __index = function() while true do end end })
  end,
}
