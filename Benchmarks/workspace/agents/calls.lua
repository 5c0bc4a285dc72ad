---@type perigee.Agent
return {
  description = "Calls a tool that does nothing: kept in the journal, or not, as calls in a transaction are.",
  tools = { "bench_nothing" },
  access = { db = "write" },
  limits = { seconds = 60 },
  run = function(_, input)
    local function calls()
      for _ = 1, input.count do tools.call("bench_nothing") end
    end
    if input.durable then calls() else db.transaction(calls) end
    return "done"
  end,
}
