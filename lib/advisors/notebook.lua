-- What an advisor keeps, apart from all others: every name begins with the agent's, so no advisor reads another's.
-- Notes and answers are of the user; the conversation is of the session.

local settings = require("lib.advisors.settings")

local notebook = {}

---@class advisors.Conversation
---@field created_at string
---@field last_activity string
---@field message_count integer
---@field tokens_used integer
---@field history { role: string, content: string }[]

local function name(ctx, key) return ctx.run.agent .. ":" .. key end

--- The conversation of this session with this advisor; what is changed in it is saved with the session.
---@return advisors.Conversation
function notebook.conversation(ctx)
  local state, agent = ctx.session.state, ctx.run.agent
  if not state[agent] then
    local now = time.format(time.now())
    state[agent] = { created_at = now, last_activity = now, message_count = 0, tokens_used = 0, history = {} }
  end
  return state[agent]
end

--- Adds a message, and its answer, to a conversation.
function notebook.add_turn(conversation, message, reply)
  local history = conversation.history
  history[#history + 1] = { role = "user", content = message }
  history[#history + 1] = { role = "assistant", content = reply.text }
  while #history > settings.history do table.remove(history, 1) end
  conversation.message_count = conversation.message_count + 2
  conversation.tokens_used = conversation.tokens_used + reply.data.usage.input_tokens + reply.data.usage.output_tokens
  conversation.last_activity = time.format(time.now())
end

---@return string[]
function notebook.notes(ctx) return kv.get(name(ctx, "notes")) or json.array({}) end

function notebook.set_notes(ctx, notes) kv.set(name(ctx, "notes"), notes) end

--- The key of an answer: the same user, advisor, scripts, conversation and question have the same.
function notebook.answer_key(ctx, brief)
  local history = brief.context.conversation_history
  local asked = json.encode({ ctx.run.version, brief.message, brief.assessment, brief.notes, history })
  return name(ctx, "answer:" .. crypto.sha256(asked))
end

function notebook.answer(key) return kv.get(key) end

function notebook.keep_answer(key, answer)
  kv.set(key, answer, { ttl = settings.cache_seconds[answer.answered_by] })
end

return notebook
