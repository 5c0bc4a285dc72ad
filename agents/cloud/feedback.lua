-- What a button under an answer calls: the message is "up" or "down", `run_id` in the input says of which answer, and
-- the session is that of the conversation.

---@type perigee.Agent
return {
  description = "Takes a thumb for an answer of the support desk: up or down.",
  tools = { "rate_answer" },

  before = function(_, message)
    local thumb = message:lower()
    if thumb ~= "up" and thumb ~= "down" then reject("The message is 'up' or 'down'.") end
    return thumb
  end,

  run = function(_, input)
    local rated = tools.call("rate_answer", { thumb = input.message, run_id = input.run_id, comment = input.comment })
    return { text = "Thank you for telling us.", data = rated }
  end,
}
