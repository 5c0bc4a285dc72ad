local factory = require("lib.advisors.factory")

---@type perigee.Agent
return factory.create({
  description = "Finds ways to make ends meet that a household enjoys.",
  personality = "creative",
  domain = "financial_advisor",
  specialization = "household_budget",
})
