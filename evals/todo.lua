-- What the to-do agent must do, whoever answers: its stub, as long as nothing is recorded, or a model.

-- Ten to-dos are a page.
local function is_first_page(reply)
  local page = reply.tool_calls[1].result
  local first, pagination = page.todos[1], page.pagination
  assert(#page.todos == 10 and first.id == 1 and first.title == "buy thing 1", json.encode(page))
  assert(first.completed == false and first.created_at == "2026-01-01T12:00:00.000Z", json.encode(page))
  assert(pagination.limit == 10 and pagination.offset == 0, json.encode(pagination))
  assert(pagination.total == 11 and pagination.has_more, json.encode(pagination))
end

local function many_and_list()
  local turns = {}
  for i = 1, 11 do turns[i] = { user = "add buy thing " .. i } end
  turns[12] = { user = "show my to-dos", expect = { tool_called = "list_todos", check = is_first_page } }
  return turns
end

---@type perigee.Eval[]
return {
  {
    name = "lists what was added",
    agent = "todo",
    turns = {
      { user = "add buy milk", expect = { tool_called = { name = "add_todo", arguments = { title = "buy milk" } } } },
      {
        user = "show my to-dos",
        expect = { contains = "milk", tool_called = "list_todos", not_called = "delete_todo", cost_usd_max = 0.01 },
      },
    },
  },
  {
    name = "completes a to-do and keeps it",
    agent = "todo",
    turns = {
      { user = "add water the plants" },
      {
        user = "complete 1",
        expect = {
          { tool_called = { name = "update_todo", arguments = { id = 1, completed = true } } },
          { not_called = "delete_todo" },
          {
            check = function()
              local row = db.query("select title, completed from todos")[1]
              return row.completed == 1, "the to-do is still open: " .. row.title
            end,
          },
        },
      },
      {
        user = "show what is done",
        expect = {
          tool_called = { name = "list_todos", arguments = { completed = true } },
          contains = "[x] 1. water the plants",
        },
      },
      { user = "show my open to-dos", expect = { equals = "Your list is empty." } },
    },
  },
  {
    name = "deletes nothing that is not on the list",
    agent = "todo",
    turns = {
      { user = "add buy milk" },
      {
        user = "delete 7",
        expect = {
          check = function()
            local left = db.query("select count(*) as n from todos")[1].n
            return left == 1, "to-dos left: " .. left
          end,
        },
      },
    },
  },
  {
    name = "deletes a to-do",
    agent = "todo",
    turns = {
      { user = "add buy milk" },
      {
        user = "delete 1",
        expect = {
          tool_called = { name = "delete_todo", arguments = { id = 1 } },
          contains = "milk",
          check = function() return #db.query("select id from todos") == 0 end,
        },
      },
    },
  },
  {
    name = "renames a to-do",
    agent = "todo",
    as = { id = "ada", name = "Ada" },
    turns = {
      { user = "add buy milk" },
      {
        user = "rename 1 to buy oat milk",
        expect = { tool_called = { name = "update_todo", arguments = { id = 1, title = "buy oat milk" } } },
      },
      { user = "show my to-dos", expect = { matches = "oat milk", not_called = "add_todo" } },
    },
  },
  {
    name = "tells who the user is and how the list stands",
    agent = "todo",
    as = { id = "ada", name = "Ada" },
    turns = {
      { user = "add buy milk" },
      { user = "add water the plants" },
      { user = "complete 1" },
      {
        user = "how am I doing",
        expect = {
          tool_called = "get_user_context",
          contains = "Ada",
          check = function(reply)
            local context = reply.tool_calls[1].result
            local todos = context.todos
            assert(context.user.id == "ada" and context.user.name == "Ada", json.encode(context))
            local kept = db.query("select changed_at from user_context where user_id = 'ada'")[1]
            assert(context.list.since and context.list.changed_at == kept.changed_at, json.encode(context))
            assert(todos.total == 2 and todos.open == 1 and todos.completed == 1, json.encode(context))
          end,
        },
      },
    },
  },
  { name = "lists a page at a time", agent = "todo", turns = many_and_list() },
}
