-- What is done about a publication that went wrong: back to the writer with the reason, so often and no more.

local drafts = require("lib.orchestrator.drafts")
local settings = require("lib.orchestrator.settings")

local recovery = {}

-- A rejection, or a draft with faults, is mended by another draft; a topic that says nothing, or a review that nobody
-- made, is not.
local MENDABLE = { denied = true, faulty = true, upstream = true, limit = true }

-- `result` is what a state came to the last time, nil if it was not reached.
local function failure(state, result)
  if type(result) ~= "table" or not result.error then return nil end
  return { state = state, code = result.error.code, message = result.error.message }
end

local function draft_problem(draft)
  local failed = failure("PROCESSING", draft)
  if failed or type(draft) ~= "string" then return failed end
  local faults = drafts.faults(draft)
  if #faults == 0 then return nil end
  return { state = "PROCESSING", code = "faulty", message = table.concat(faults, "; ") }
end

--- What went wrong, with how many times something has: the first state of the flow whose last result is no good.
---@param results table<string, any> of the states so far
---@return { state: string, code: string, message: string, times: integer }
function recovery.problem(results)
  local problem = failure("START", results.START)
    or draft_problem(results.PROCESSING)
    or failure("REVIEW", results.REVIEW)
    or failure("APPROVED", results.APPROVED)
  problem.times = (results.ERROR and results.ERROR.times or 0) + 1
  return problem
end

--- Where the flow goes on, if it does.
---@return string? state
function recovery.next_state(problem)
  if MENDABLE[problem.code] and problem.times <= settings.rewrites_max then return "PROCESSING" end
end

return recovery
