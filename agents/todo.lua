local commands = require("lib.commands")

local HELP = "I keep your to-do list. Try: add buy milk / show my to-dos / complete 1 / "
  .. "rename 1 to buy oat milk / delete 1 / how am I doing"

local function line(todo)
  return ("%s %d. %s"):format(todo.completed and "[x]" or "[ ]", todo.id, todo.title)
end

local function list(command)
  local page = tools.call("list_todos", { completed = command.completed })
  if #page.todos == 0 then return "Your list is empty." end
  local lines = { ("You have %d to-do%s:"):format(page.pagination.total, page.pagination.total == 1 and "" or "s") }
  for _, todo in ipairs(page.todos) do lines[#lines + 1] = line(todo) end
  if page.pagination.has_more then lines[#lines + 1] = "… and more." end
  return table.concat(lines, "\n")
end

local answers = {
  list = list,
  add = function(command)
    return "Added: " .. line(tools.call("add_todo", { title = command.title }))
  end,
  complete = function(command)
    local todo = tools.call("update_todo", { id = command.id, completed = command.completed })
    return (command.completed and "Done: " or "Open again: ") .. line(todo)
  end,
  rename = function(command)
    return "Renamed: " .. line(tools.call("update_todo", { id = command.id, title = command.title }))
  end,
  delete = function(command)
    return "Deleted: " .. tools.call("delete_todo", { id = command.id }).deleted.title
  end,
  context = function()
    local context = tools.call("get_user_context")
    return ("You are %s: %d open, %d done."):format(context.user.name, context.todos.open, context.todos.completed)
  end,
}

---@type perigee.Agent
return {
  description = "Keeps the user's to-do list.",
  temperature = 0.7,
  history = 20,
  tools = { "list_todos", "add_todo", "update_todo", "delete_todo", "get_user_context" },
  limits = { steps = 8, seconds = 60 },

  prompt = function(ctx)
    return text.template(
      [[
You keep the to-do list of {name}. Today is {today} (UTC).
Use the tools for everything about the list; never invent a to-do or an id.
Look the id up with list_todos before you change or delete something.
Confirm what you did in one short sentence. Answer in the user's language.]],
      { name = ctx.user.name, today = time.format(time.now(), "%A, %d %B %Y") }
    )
  end,

  -- Without a model: plain commands.
  stub = function(_, message)
    local command = commands.read(message)
    if not command then return HELP end
    local ok, answer = pcall(answers[command.name], command)
    if ok then return answer end
    if type(answer) == "table" and answer.code == "not_found" then
      return ("There is no to-do %d on your list."):format(command.id)
    end
    error(answer, 0)
  end,
}
