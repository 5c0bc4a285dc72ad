-- Attack: Resumes and closes a coroutine that waits for the host in another branch.
-- Expect: reply true false false

return {
  limits = { seconds = 5 },
  run = function(ctx, input)
    local started, tried = false, 0
    local co = coroutine.create(function()
      started = true
      while tried < 2 do time.sleep(0.01) end
      return "woke"
    end)
    local function try(attack)
      while not started do time.sleep(0.01) end
      local ok = attack(co)
      tried = tried + 1
      return ok
    end
    local results = parallel{
      function() return (coroutine.resume(co)) end,
      function() return try(coroutine.resume) end,
      function() return try(function() return (pcall(coroutine.close, co)) end) end,
    }
    return table.concat({ tostring(results[1]), tostring(results[2]), tostring(results[3]) }, " ")
  end,
}
