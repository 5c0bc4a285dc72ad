-- Somebody has to agree, while a tool works beside; the run is not in memory meanwhile.
---@type perigee.Agent
return {
  tools = { "book", "notify" },
  limits = { seconds = 60 },
  run = function(_, input)
    local operation = input.message
    local token = uuid()
    local done = parallel{
      agreed = function() return approval.request{ title = "Refund " .. operation .. "?", detail = token } end,
      booked = function() return tools.call("book", { operation = operation }) end,
    }
    assert(done.agreed.approved, "it was rejected")
    tools.call("notify", { operation = operation })
    return ("%s: %d"):format(operation, done.booked.id)
  end,
}
