-- A workflow as code: two tools beside each other, a model between them and the last one, and what a run sees once.
---@type perigee.Agent
return {
  tools = { "book", "notify" },
  limits = { seconds = 60 },
  run = function(ctx, input)
    local operation = input.message
    local token = uuid()
    local done = parallel{
      booked = function() return tools.call("book", { operation = operation }) end,
      told = function() return tools.call("notify", { operation = operation .. "/first" }) end,
    }
    local said = llm.chat{ messages = { { role = "user", content = operation .. " " .. token } } }.text
    tools.call("notify", { operation = operation .. "/last" })
    assert(said:find(token, 1, true), "the model answered to another token")
    return ("%s: %d"):format(operation, done.booked.id)
  end,
}
