-- What users think of answers, by the version of the scripts that gave them.

local answers = require("lib.cloud.answers")

---@type table<string, perigee.Tool>
return {
  schema = [[
    create table if not exists feedback (
      run_id text primary key,
      user_id text not null,
      version text not null,
      thumb text not null check (thumb in ('up', 'down')),
      comment text,
      created_at text not null
    ) without rowid;
    create index if not exists feedback_by_version on feedback (version, thumb);
  ]],

  rate_answer = {
    description = "Keep the user's thumb for an answer of this conversation.",
    parameters = {
      thumb = { type = "string", enum = { "up", "down" } },
      run_id = { type = "string", optional = true, description = "which answer; the last one unless said" },
      comment = { type = "string", maxLength = 1000, optional = true, description = "what the user says about it" },
    },
    access = { db = "write" },
    unknown = "retry",
    run = function(ctx, args)
      local answer = answers.find(ctx, args.run_id)
      if not answer then error({ code = "not_found", message = "there is no such answer in this conversation" }) end
      -- Whoever thinks again changes the thumb.
      db.exec(
        "insert into feedback (run_id, user_id, version, thumb, comment, created_at) values (?, ?, ?, ?, ?, ?) "
          .. "on conflict (run_id) do update set thumb = excluded.thumb, comment = excluded.comment",
        answer.run_id, ctx.user.id, answer.version, args.thumb, args.comment, time.format(time.now())
      )
      return { run_id = answer.run_id, version = answer.version, thumb = args.thumb }
    end,
  },

  summarize_feedback = {
    description = "Count thumbs by version of the scripts, the version that was rated first on top.",
    allow = { roles = { "operator", "admin" } },
    access = { db = "read" },
    effect = "read",
    run = function()
      local rows = db.query([[
        select version, sum(thumb = 'up') as up, sum(thumb = 'down') as down, min(created_at) as since
        from feedback group by version order by since]])
      return { versions = json.array(rows) }
    end,
  },

  list_complaints = {
    description = "List the latest answers that got a thumb down, with what was said about them.",
    allow = { roles = { "operator", "admin" } },
    access = { db = "read" },
    effect = "read",
    run = function()
      local rows = db.query([[
        select run_id, version, comment, created_at from feedback
        where thumb = 'down' order by created_at desc limit 20]])
      return { complaints = json.array(rows) }
    end,
  },
}
