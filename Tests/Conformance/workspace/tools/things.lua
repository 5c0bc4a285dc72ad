---@type table<string, perigee.Tool>
return {
  list_todos = {
    description = "Lists what is to do.",
    parameters = { limit = "integer?" },
    run = function() return { todos = { "oat milk" } } end,
  },
  give_up = {
    description = "Fails for good.",
    action = true,
    run = function() error({ code = "denied", message = "never" }) end,
  },
}
