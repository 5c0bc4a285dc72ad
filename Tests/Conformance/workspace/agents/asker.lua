-- The run waits for a person.
---@type perigee.Agent
return {
  run = function(_, input)
    local answer = approval.request{ title = "May I?", detail = { message = input.message } }
    return answer.decision
  end,
}
