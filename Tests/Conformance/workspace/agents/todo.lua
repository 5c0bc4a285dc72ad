-- The model drives; the examples of the OpenAPI document talk with it.
---@type perigee.Agent
return { description = "Keeps the user's to-do list.", prompt = "You keep a list.", tools = { "list_todos" } }
