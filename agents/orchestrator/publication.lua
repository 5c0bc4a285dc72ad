-- A state machine: nothing is published that no person has agreed to.

local drafts = require("lib.orchestrator.drafts")
local recovery = require("lib.orchestrator.recovery")
local settings = require("lib.orchestrator.settings")

---@type perigee.Agent
return {
  description = "Writes a notice, has it reviewed by a person, and publishes it.",
  guardrails = { input = { "malicious_code", "profanity", "pii" }, output = { "pii" } },
  limits = { seconds = 120 },

  initial = "START",
  states = {
    START = {
      run = function(ctx)
        local topic = ctx.input.message:match("^%s*(.-)%s*$")
        if #topic < 3 then error({ code = "invalid_arguments", message = "what is it about?" }) end
        return { topic = topic }
      end,
      on = { ok = "PROCESSING", error = "ERROR" },
    },

    PROCESSING = {
      agent = "orchestrator.writer",
      input = function(_, results)
        return { message = results.START.topic, problem = results.ERROR and results.ERROR.message }
      end,
      retry = { attempts = 2, backoff = "1s" },
      next = function(_, draft) return #drafts.faults(draft) == 0 and "REVIEW" or "ERROR" end,
      on = { error = "ERROR" },
    },

    REVIEW = {
      approval = "Publish this notice?",
      input = function(_, results) return { topic = results.START.topic, draft = results.PROCESSING } end,
      by = { roles = settings.reviewers },
      timeout = settings.review_timeout,
      on = { ok = "APPROVED", error = "ERROR" },
    },

    APPROVED = {
      tool = "publish_notice",
      input = function(_, results) return { topic = results.START.topic, body = results.PROCESSING } end,
      retry = { attempts = 3, backoff = "1s" },
      on = { ok = "COMPLETE", error = "ERROR" },
    },

    COMPLETE = {
      run = function(_, results)
        local notice = results.APPROVED
        log.info("notice published", { notice = notice.id })
        event.emit("notice.published", { notice = notice.id })
        return { notice = notice, rewrites = results.ERROR and results.ERROR.times or 0 }
      end,
    },

    ERROR = {
      run = function(_, results)
        local problem = recovery.problem(results)
        log.warn("publication went wrong", problem)
        event.emit("notice.returned", { state = problem.state, code = problem.code, times = problem.times })
        return problem
      end,
      next = function(_, problem) return recovery.next_state(problem) end,
    },
  },

  after = function(_, reply)
    local done, problem = reply.data.COMPLETE, reply.data.ERROR
    reply.text = done and ("Published as notice %d:\n%s"):format(done.notice.id, done.notice.body)
      or ("Not published: %s."):format(problem.message)
    return reply
  end,
}
