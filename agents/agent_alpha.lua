local factory = require("lib.advisors.factory")

---@type perigee.Agent
return factory.create({
  description = "Weighs how savings may be invested: risk, horizon and cost, by figures.",
  personality = "analytical",
  domain = "financial_advisor",
  specialization = "investment_strategy",
})
