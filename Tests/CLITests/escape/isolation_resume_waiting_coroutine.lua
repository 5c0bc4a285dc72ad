-- Attack: Resumes and closes a coroutine that waits for the host in another branch.
-- Expect: reply true false false

return {
  limits = { seconds = 5 },
  run = function(ctx, input)
    local co = coroutine.create(function()
      time.sleep(0.1)
      return "woke"
    end)
    local results = parallel{
      function() return (coroutine.resume(co)) end,
      function() return (coroutine.resume(co)) end,
      function() return (pcall(coroutine.close, co)) end,
    }
    return table.concat({ tostring(results[1]), tostring(results[2]), tostring(results[3]) }, " ")
  end,
}
