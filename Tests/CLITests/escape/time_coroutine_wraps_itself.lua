-- Attack: Resumes the running coroutine from inside itself, for ever.
-- Expect: limit processor time

return {
  run = function(ctx, input)
    local co
    co = coroutine.wrap(function() while true do pcall(co) end end)
    co()
  end, -- perigee: ignore P132 because it is the attack
}
