-- The user's to-do list. Every statement is bound to ctx.user.id: the model never says whose list it is.

local function found(todo, id)
  if not todo then error({ code = "not_found", message = "there is no to-do " .. id }) end
  return todo
end

local function present(row)
  return { id = row.id, title = row.title, completed = row.completed == 1, created_at = row.created_at }
end

local function todo(user_id, id)
  local rows = db.query("select id, title, completed, created_at from todos where user_id = ? and id = ?", user_id, id)
  return present(found(rows[1], id))
end

local function clean(title)
  local text = title:match("^%s*(.-)%s*$")
  if text == "" then error({ code = "invalid_arguments", message = "the title is empty" }) end
  return text
end

-- Since when the user has had a list, and when it last changed.
local function note_change(user_id)
  local now = time.format(time.now())
  db.exec(
    "insert into user_context (user_id, since, changed_at) values (?, ?, ?) "
      .. "on conflict (user_id) do update set changed_at = excluded.changed_at",
    user_id, now, now
  )
end

---@type table<string, perigee.Tool>
return {
  schema = [[
    create table if not exists todos (
      id integer primary key,
      user_id text not null,
      title text not null,
      completed integer not null default 0 check (completed in (0, 1)),
      created_at text not null
    );
    create index if not exists todos_by_user on todos (user_id, completed, id);
    create table if not exists todo_calls (key text primary key, todo_id integer not null) without rowid;
    create table if not exists user_context (
      user_id text primary key,
      since text not null,
      changed_at text not null
    ) without rowid;
  ]],

  list_todos = {
    description = "List the user's to-dos, oldest first, a page at a time.",
    parameters = {
      completed = { type = "boolean", optional = true, description = "only done (true), or only open (false)" },
      limit = { type = "integer", minimum = 1, maximum = 100, default = 10, description = "to-dos on a page" },
      offset = { type = "integer", minimum = 0, default = 0, description = "to-dos before the page" },
    },
    access = { db = "read" },
    effect = "read",
    run = function(ctx, args)
      local where, values = "user_id = ?", { ctx.user.id }
      if args.completed ~= nil then
        where = where .. " and completed = ?"
        values[2] = args.completed
      end
      local total = db.query("select count(*) as total from todos where " .. where, table.unpack(values))[1].total
      values[#values + 1] = args.limit
      values[#values + 1] = args.offset
      local rows = db.query(
        "select id, title, completed, created_at from todos where " .. where .. " order by id limit ? offset ?",
        table.unpack(values)
      )
      local todos = json.array({})
      for i, row in ipairs(rows) do todos[i] = present(row) end
      return {
        todos = todos,
        pagination = {
          limit = args.limit,
          offset = args.offset,
          total = total,
          has_more = args.offset + #todos < total,
        },
      }
    end,
  },

  add_todo = {
    description = "Add a to-do to the user's list.",
    parameters = {
      title = { type = "string", minLength = 1, maxLength = 500, description = "what is to be done" },
    },
    access = { db = "write" },
    run = function(ctx, args)
      local title = clean(args.title)
      -- A call that is made again after a crash has the same key: what it did is done once.
      local id = db.transaction(function()
        local earlier = db.query("select todo_id from todo_calls where key = ?", ctx.call.key)[1]
        if earlier then return earlier.todo_id end
        local added = db.exec(
          "insert into todos (user_id, title, created_at) values (?, ?, ?)",
          ctx.user.id, title, time.format(time.now())
        ).last_insert_id
        db.exec("insert into todo_calls (key, todo_id) values (?, ?)", ctx.call.key, added)
        note_change(ctx.user.id)
        return added
      end)
      return todo(ctx.user.id, id)
    end,
  },

  update_todo = {
    description = "Change the title of a to-do, or mark it done or open again.",
    parameters = {
      id = { type = "integer", description = "as list_todos gives it" },
      title = { type = "string", minLength = 1, maxLength = 500, optional = true },
      completed = { type = "boolean", optional = true },
    },
    access = { db = "write" },
    run = function(ctx, args)
      if args.title == nil and args.completed == nil then
        error({ code = "invalid_arguments", message = "nothing to change: give title or completed" })
      end
      return db.transaction(function()
        db.exec(
          "update todos set title = coalesce(?, title), completed = coalesce(?, completed) "
            .. "where user_id = ? and id = ?",
          args.title and clean(args.title), args.completed, ctx.user.id, args.id
        )
        local changed = todo(ctx.user.id, args.id)
        note_change(ctx.user.id)
        return changed
      end)
    end,
  },

  delete_todo = {
    description = "Delete a to-do for good.",
    parameters = { id = { type = "integer", description = "as list_todos gives it" } },
    access = { db = "write" },
    run = function(ctx, args)
      return db.transaction(function()
        local gone = todo(ctx.user.id, args.id)
        db.exec("delete from todos where user_id = ? and id = ?", ctx.user.id, args.id)
        note_change(ctx.user.id)
        return { deleted = gone }
      end)
    end,
  },

  get_user_context = {
    description = "Tell who the user is and how the list stands.",
    access = { db = "read" },
    effect = "read",
    run = function(ctx)
      local counts = db.query(
        "select count(*) as total, coalesce(sum(completed), 0) as completed from todos where user_id = ?",
        ctx.user.id
      )[1]
      local kept = db.query("select since, changed_at from user_context where user_id = ?", ctx.user.id)[1]
      return {
        user = { id = ctx.user.id, name = ctx.user.name },
        list = kept and { since = kept.since, changed_at = kept.changed_at } or nil,
        todos = { total = counts.total, completed = counts.completed, open = counts.total - counts.completed },
      }
    end,
  },
}
