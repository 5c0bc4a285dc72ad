local factory = require("lib.advisors.factory")

---@type perigee.Agent
return factory.create({
  description = "Makes texts shorter and clearer, and keeps them true to the brand.",
  personality = "analytical",
  domain = "content_creator",
  specialization = "editing",
})
