---@meta

---The tools that the agent lists, called by the script rather than by the model.
---@class toolslib
tools = {}

---Calls a tool: its arguments are validated, the call is recorded, and its own error is raised.
---@async
---@param name string `add_todo`
---@param args? table by name
---@return any
function tools.call(name, args) end
