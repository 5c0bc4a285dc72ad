local factory = require("lib.advisors.factory")

---@type perigee.Agent
return factory.create({
  description = "Invents campaigns for the brand, each for an audience.",
  personality = "creative",
  domain = "content_creator",
  specialization = "campaigns",
})
