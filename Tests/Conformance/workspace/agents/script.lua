-- A script answers, and takes parts that are no text; it leaves a job behind that fails for good.
---@type perigee.Agent
return {
  description = "Says what it is told.",
  access = { queue = true },
  schedules = { { every = "6h", message = "look" } },
  run = function(ctx, input)
    if input.message == "die" then queue.publish("give_up", {}) end
    return ctx.user.id .. ": " .. input.message
  end,
}
