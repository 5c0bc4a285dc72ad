-- One list for everybody: the work of a turn must not depend on who measures.

local OWNER = "demo"

---@type table<string, perigee.Tool>
return {
  schema = [[
    create table if not exists bench_todos (
      id integer primary key,
      owner text not null,
      title text not null,
      done integer not null default 0
    );
    create index if not exists bench_todos_by_owner on bench_todos (owner, id);
    insert into bench_todos (owner, title, done) values
      ('demo', 'order new brake pads', 0),
      ('demo', 'water the plants', 0),
      ('demo', 'answer the insurance letter', 0),
      ('demo', 'return the borrowed ladder', 1),
      ('demo', 'book the train to Lisbon', 0),
      ('demo', 'renew the library card', 1),
      ('demo', 'call the school', 0),
      ('demo', 'sort the tax receipts', 0),
      ('demo', 'repair the bicycle light', 1),
      ('demo', 'plan the birthday dinner', 0);
  ]],

  list_todos = {
    description = "List what the person wants to get done.",
    parameters = {},
    access = { db = "read" },
    effect = "read",
    run = function()
      return db.query("select id, title, done from bench_todos where owner = ? order by id limit 10", OWNER)
    end,
  },

  add_todo = {
    description = "Write down something that the person wants to get done.",
    parameters = { title = { type = "string", description = "a short title" } },
    access = { db = "write" },
    run = function(_, args)
      local change = db.exec("insert into bench_todos (owner, title) values (?, ?)", OWNER, args.title)
      return { id = change.last_insert_id, title = args.title }
    end,
  },
}
