-- How an advisor comes to an answer: the history and the assessment become a prompt, the model's words are held against
-- the rules of the business, and what has been said is kept.

local notebook = require("lib.advisors.notebook")
local prompts = require("lib.advisors.prompts")

local answering = {}

---@class advisors.Brief
---@field message string
---@field assessment table what the domain makes of the message
---@field notes string[]
---@field context table who speaks with whom, in which role

local NO_TOKENS = { input_tokens = 0, output_tokens = 0 }

local function context_of(advisor, ctx, conversation)
  return {
    user_id = ctx.user.id,
    agent_id = ctx.run.agent,
    conversation_history = conversation.history,
    personality_context = { type = advisor.personality_name, traits = advisor.personality.traits },
    business_context = { domain = advisor.domain_name, specialization = advisor.specialization },
    session_metadata = {
      created_at = conversation.created_at,
      last_activity = conversation.last_activity,
      message_count = conversation.message_count,
    },
  }
end

-- What needs no model: the domain's own points, in the personality's words.
local function by_rules(advisor, brief)
  return advisor.personality.write(advisor.domain.points(brief.assessment))
end

local function ask(advisor, messages)
  return llm.chat({ messages = messages, temperature = advisor.personality.temperature })
end

local function sum(a, b)
  return { input_tokens = a.input_tokens + b.input_tokens, output_tokens = a.output_tokens + b.output_tokens }
end

-- The model has two attempts to keep the rules. After that the rules speak for themselves.
local function by_model(advisor, brief)
  local messages = prompts.messages(advisor, brief)
  local first = ask(advisor, messages)
  local faults = advisor.domain.review(first.text)
  if #faults == 0 then return { text = first.text, answered_by = "model", usage = first.usage } end

  local second = ask(advisor, prompts.rewrite(messages, first.text, faults))
  local usage = sum(first.usage, second.usage)
  if #advisor.domain.review(second.text) == 0 then
    return { text = second.text, answered_by = "model", usage = usage }
  end
  return { text = by_rules(advisor, brief), answered_by = "rules", usage = usage }
end

-- Without a model the rules of the business answer.
local function compose(advisor, brief)
  local ok, answer = pcall(by_model, advisor, brief)
  if ok then return answer end
  if answer.code ~= "upstream" then error(answer, 0) end
  return { text = by_rules(advisor, brief), answered_by = "rules", usage = NO_TOKENS }
end

local function cached(key)
  local answer = notebook.answer(key)
  return answer and { text = answer.text, answered_by = answer.answered_by, usage = NO_TOKENS, cached = true }
end

local function fresh(advisor, brief, key)
  local answer = compose(advisor, brief)
  answer.text = answer.text .. (advisor.domain.closing and "\n\n" .. advisor.domain.closing or "")
  notebook.keep_answer(key, answer)
  answer.cached = false
  return answer
end

--- One turn: what the agent answers to a message, and what it tells beside it.
---@param advisor advisors.Advisor
---@param ctx perigee.Context
---@param message string
---@return { text: string, data: table }
function answering.answer(advisor, ctx, message)
  local conversation = notebook.conversation(ctx)
  local brief = {
    message = message,
    assessment = advisor.domain.assess(message, ctx.input),
    notes = notebook.notes(ctx),
    context = context_of(advisor, ctx, conversation),
  }
  local key = notebook.answer_key(ctx, brief)
  local answer = cached(key) or fresh(advisor, brief, key)
  local reply = {
    text = answer.text,
    data = {
      answered_by = answer.answered_by,
      cached = answer.cached,
      usage = answer.usage,
      assessment = brief.assessment,
      personality_context = brief.context.personality_context,
      business_context = brief.context.business_context,
    },
  }
  notebook.add_turn(conversation, message, reply)
  reply.data.session_metadata = {
    created_at = conversation.created_at,
    last_activity = conversation.last_activity,
    message_count = conversation.message_count,
  }
  return reply
end

return answering
