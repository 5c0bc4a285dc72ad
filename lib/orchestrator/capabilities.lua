-- Which agent can do what. The set is open: a new capability is a new name in a list. What an agent is doing at the
-- moment (READY, EXECUTING, …) is the host's to tell: GET /v1/agents.

local words = require("lib.words")

local capabilities = {}

---@class orchestrator.Entry
---@field name string of the agent
---@field can string[] its capabilities
---@field words string[] what asks for it, where no model understands the request

---@type orchestrator.Entry[]
local REGISTRY = {
  { name = "orchestrator.publication", can = { "WORKFLOW_CONTROL", "TEXT_PROCESSING" }, words = { "publish" } },
  { name = "orchestrator.graph", can = { "WORKFLOW_CONTROL", "DOCUMENT_ANALYSIS" }, words = { "file", "keep" } },
  { name = "orchestrator.analyst", can = { "DOCUMENT_ANALYSIS", "TEXT_PROCESSING" }, words = { "analy", "classify" } },
  { name = "orchestrator.writer", can = { "TEXT_PROCESSING" }, words = { "write", "draft" } },
  { name = "orchestrator.batch", can = { "API_INTEGRATION", "WORKFLOW_CONTROL" }, words = { "batch" } },
}

--- The agents of each capability.
---@return table<string, string[]>
function capabilities.all()
  local agents_of = {}
  for _, entry in ipairs(REGISTRY) do
    for _, capability in ipairs(entry.can) do
      agents_of[capability] = agents_of[capability] or {}
      table.insert(agents_of[capability], entry.name)
    end
  end
  return agents_of
end

--- The agent that a request asks for, by its first word that is known.
---@param request string
---@return string? agent
function capabilities.asked(request) return (words.classify(request, REGISTRY)) end

return capabilities
