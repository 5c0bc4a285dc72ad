-- Notices that were reviewed and published, for all to read.

---@type table<string, perigee.Tool>
return {
  schema = [[
    create table if not exists notices (
      id integer primary key,
      user_id text not null,
      topic text not null,
      body text not null,
      published_at text not null,
      call_key text not null unique
    );
  ]],

  publish_notice = {
    description = "Publish a notice that has been approved.",
    parameters = {
      topic = { type = "string", minLength = 1, description = "what it is about" },
      body = { type = "string", minLength = 1, description = "its text" },
    },
    access = { db = "write" },
    unknown = "retry",
    run = function(ctx, args)
      db.exec(
        "insert into notices (user_id, topic, body, published_at, call_key) values (?, ?, ?, ?, ?) "
          .. "on conflict (call_key) do nothing",
        ctx.user.id, args.topic, args.body, time.format(time.now()), ctx.call.key
      )
      return db.query("select id, topic, body, published_at from notices where call_key = ?", ctx.call.key)[1]
    end,
  },

  list_notices = {
    description = "List the latest notices.",
    access = { db = "read" },
    effect = "read",
    run = function()
      local rows = db.query("select id, topic, body, published_at from notices order by id desc limit 20")
      return { notices = json.array(rows) }
    end,
  },
}
