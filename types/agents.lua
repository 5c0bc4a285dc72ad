---@meta

---@class (exact) perigee.AgentAnswer
---@field text string
---@field data any
---@field using_stub boolean its stub answered, for want of a model

---Other agents of the workspace.
---@class agentslib
agents = {}

---Runs another agent on behalf of the same user and waits for its answer.
---@async
---@param name string `market.title`
---@param input string|table|nil its message, or its `ctx.input` with the message in `message`
---@return perigee.AgentAnswer
function agents.run(name, input) end
