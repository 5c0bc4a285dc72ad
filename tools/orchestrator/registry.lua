local capabilities = require("lib.orchestrator.capabilities")

---@type table<string, perigee.Tool>
return {
  list_capabilities = {
    description = "List the capabilities of the team, and which agents have each.",
    effect = "read",
    run = function() return capabilities.all() end,
  },
}
