-- Attack: Resumes, closes and wraps the host's own coroutine of another branch while that waits.
-- Expect: reply woke false false

return {
  limits = { seconds = 5 },
  run = function(ctx, input)
    local co
    local results = parallel{
      function()
        co = coroutine.running()
        time.sleep(0.1)
        return "woke"
      end,
      function()
        while not co do time.sleep(0.01) end
        return (coroutine.resume(co))
      end,
      function()
        while not co do time.sleep(0.01) end
        return (pcall(coroutine.close, co))
      end,
    }
    return table.concat({ tostring(results[1]), tostring(results[2]), tostring(results[3]) }, " ")
  end,
}
