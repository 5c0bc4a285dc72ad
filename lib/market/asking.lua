-- Asks another agent of the market, as a branch of parallel.

local asking = {}

---@param agent string its name
---@param task table what it gets as its input, the message in `message`
---@return fun(): any branch that gives the agent's data
function asking.branch(agent, task)
  return function() return agents.run(agent, task).data end
end

return asking
