-- Attack: Resumes and closes the coroutine of the run from a branch.
-- Expect: reply false false

return {
  limits = { seconds = 5 },
  run = function(ctx, input)
    local main = coroutine.running()
    local results = parallel{
      function() return (coroutine.resume(main, "x")) end,
      function() return (pcall(coroutine.close, main)) end,
    }
    return tostring(results[1]) .. " " .. tostring(results[2])
  end,
}
