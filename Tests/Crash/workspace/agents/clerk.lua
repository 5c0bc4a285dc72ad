-- The model drives: it calls the tool once, then answers.
---@type perigee.Agent
return { prompt = "You book.", tools = { "book" }, limits = { seconds = 60 } }
