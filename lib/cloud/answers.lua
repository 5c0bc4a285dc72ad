-- Which answer came from which version of the scripts: kept with the session, so that a thumb for an answer counts for
-- the version that gave it, whatever is in force when the thumb comes.

local settings = require("lib.cloud.settings")

local answers = {}

--- Notes that this run answers in this session. Each run gives one answer, and callers are told the run's id with it.
function answers.note(ctx)
  local list = ctx.session.state.answers or {}
  list[#list + 1] = { run_id = ctx.run.id, version = ctx.run.version }
  if #list > settings.answers_kept then table.remove(list, 1) end
  ctx.session.state.answers = list
end

--- The answer of a run of this session; without an id the last one before this run's.
---@param run_id string?
---@return { run_id: string, version: string }?
function answers.find(ctx, run_id)
  local list = ctx.session.state.answers or {}
  for i = #list, 1, -1 do
    local answer = list[i]
    if answer.run_id == run_id or not run_id and answer.run_id ~= ctx.run.id then return answer end
  end
end

return answers
