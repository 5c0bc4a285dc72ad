-- Attack: Keeps closures without end.
-- Expect: limit

return {
  run = function(ctx, input)
    local last
    while true do
      local before = last
      last = function() return before end
    end
  end,
}
