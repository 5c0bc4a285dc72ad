-- Makes advisors: a personality, a domain with its rules, and a specialization become an agent.

local answering = require("lib.advisors.answering")
local channel = require("lib.advisors.channel")
local commands = require("lib.advisors.commands")
local personalities = require("lib.advisors.personalities")
local reports = require("lib.advisors.reports")
local settings = require("lib.advisors.settings")

local factory = {}

---@class advisors.Domain
---@field specializations table<string, string> what each is about
---@field rules string what the prompt says of the business
---@field assess fun(message: string, input: table): table what the business makes of a message
---@field review fun(answer: string): string[] which rules an answer breaks
---@field points fun(assessment: table): string[] what there is to say without a model
---@field closing? string stands under every answer

---@type table<string, advisors.Domain>
local DOMAINS = {
  financial_advisor = require("lib.advisors.financial_advisor"),
  content_creator = require("lib.advisors.content_creator"),
  technical_support = require("lib.advisors.technical_support"),
}

---@class advisors.Config
---@field description string
---@field personality string
---@field domain string
---@field specialization string

---@class advisors.Advisor
---@field personality_name string
---@field personality advisors.Personality
---@field domain_name string
---@field domain advisors.Domain
---@field specialization string

local function known(kind, choices, name)
  return choices[name] or error(("there is no %s %q"):format(kind, tostring(name)), 0)
end

---@param config advisors.Config
---@return advisors.Advisor
local function advisor_of(config)
  local personality = known("personality", personalities, config.personality)
  local domain = known("domain", DOMAINS, config.domain)
  known("specialization", domain.specializations, config.specialization)
  return {
    personality_name = config.personality,
    personality = personality,
    domain_name = config.domain,
    domain = domain,
    specialization = config.specialization,
  }
end

-- Without control characters and white space around it.
local function clean(message) return (message:gsub("[^%C\n\t]", ""):match("^%s*(.-)%s*$")) end

local function checked(message)
  local cleaned = clean(message)
  local length = utf8.len(cleaned)
  if length == 0 then reject("The message is empty.") end
  if length > settings.message_chars_max then
    reject(("The message has %d characters; at most %d are read."):format(length, settings.message_chars_max))
  end
  return cleaned
end

--- An agent of this kind. A configuration that names what does not exist is refused when the workspace is loaded.
---@param config advisors.Config
---@return perigee.Agent
function factory.create(config)
  local advisor = advisor_of(config)

  local answered, failed = channel.new(), channel.new()
  answered.subscribe(reports.log_answer)
  answered.subscribe(reports.emit_answer)
  failed.subscribe(reports.log_failure)

  return {
    description = config.description,
    access = { llm = true, kv = "write" },
    guardrails = { input = { "malicious_code", "injection" }, output = { "secrets" } },
    limits = { steps = 2, seconds = 60 },

    before = function(_, message) return checked(message) end,

    run = function(ctx, input)
      local said = commands.run(ctx, input.message)
      if said then return said end

      local ok, reply = pcall(answering.answer, advisor, ctx, input.message)
      if ok then
        answered.notify(ctx, input.message, reply)
        return reply
      end
      failed.notify(ctx, input.message, reply)
      error(reply, 0)
    end,
  }
end

return factory
