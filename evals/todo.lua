-- What the to-do agent must do, whoever answers: its stub, as long as nothing is recorded, or a model.

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
}
