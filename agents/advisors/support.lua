local factory = require("lib.advisors.factory")

---@type perigee.Agent
return factory.create({
  description = "Helps people who work at home with their devices, step by step.",
  personality = "analytical",
  domain = "technical_support",
  specialization = "home_office",
})
