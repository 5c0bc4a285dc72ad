-- Observers of advisors: what the log and those who listen to events are told of a turn. No texts, only their lengths.

local reports = {}

local function fields(ctx, message)
  return { agent_id = ctx.run.agent, user_id = ctx.user.id, message_length = utf8.len(message) }
end

function reports.log_answer(ctx, message, reply)
  local line = fields(ctx, message)
  line.response_length = utf8.len(reply.text)
  line.tokens_used = reply.data.usage.input_tokens + reply.data.usage.output_tokens
  line.cached = reply.data.cached
  log.info("answered", line)
end

function reports.log_failure(ctx, message, problem)
  local line = fields(ctx, message)
  line.problem = tostring(problem)
  log.error("not answered", line)
end

function reports.emit_answer(_, _, reply)
  event.emit("advisor.answered", { answered_by = reply.data.answered_by, cached = reply.data.cached })
end

return reports
