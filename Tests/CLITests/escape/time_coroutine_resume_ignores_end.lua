-- Attack: Resumes a looping coroutine again and again and looks at no result.
-- Expect: limit processor time

return {
  run = function(ctx, input)
    while true do
      local co = coroutine.create(function() while true do end end)
      coroutine.resume(co)
      coroutine.close(co)
    end
  end,
}
