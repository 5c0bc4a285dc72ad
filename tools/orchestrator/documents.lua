-- Documents that wait for the batch, or are filed, each of the user who sent it.

-- Who may see and change what others sent: the schedule's own user, and those who may start a batch themselves.
local BATCH = { roles = { "schedule", "operator", "admin" } }

local settings = require("lib.orchestrator.settings")

-- A call that is made again after a crash has the same key: what it did is done once.
local function add(ctx, body, topic, summary)
  db.exec(
    "insert into documents (user_id, body, topic, summary, created_at, call_key) values (?, ?, ?, ?, ?, ?) "
      .. "on conflict (call_key) do nothing",
    ctx.user.id, body, topic, summary, time.format(time.now()), ctx.call.key
  )
  return db.query("select id from documents where call_key = ?", ctx.call.key)[1].id
end

---@type table<string, perigee.Tool>
return {
  schema = [[
    create table if not exists documents (
      id integer primary key,
      user_id text not null,
      body text not null,
      topic text,
      summary text,
      created_at text not null,
      call_key text not null unique
    );
    create index if not exists documents_by_user on documents (user_id, id);
    create index if not exists documents_waiting on documents (id) where topic is null;
  ]],

  submit_document = {
    description = "Hand in a document for the next batch.",
    parameters = { body = { type = "string", minLength = 1, maxLength = 10000, description = "its text" } },
    access = { db = "write" },
    unknown = "retry",
    run = function(ctx, args) return { id = add(ctx, args.body) } end,
  },

  file_document = {
    description = "File a document that has been analysed.",
    parameters = {
      document = { type = "string", minLength = 1, maxLength = 10000, description = "its text" },
      topic = { type = "string", description = "what it is about" },
      summary = { type = "string", description = "one sentence" },
    },
    access = { db = "write" },
    unknown = "retry",
    run = function(ctx, args) return { id = add(ctx, args.document, args.topic, args.summary) } end,
  },

  list_documents = {
    description = "List the user's latest documents and what was made of them.",
    access = { db = "read" },
    effect = "read",
    run = function(ctx)
      local rows = db.query(
        "select id, body, topic, summary, created_at from documents where user_id = ? order by id desc limit 20",
        ctx.user.id
      )
      return { documents = json.array(rows) }
    end,
  },

  waiting_documents = {
    description = "List documents, of whomever, that have not been analysed yet, oldest first.",
    allow = BATCH,
    access = { db = "read" },
    effect = "read",
    run = function()
      local rows = db.query(
        "select id, body from documents where topic is null order by id limit ?", settings.batch_documents_max
      )
      return { documents = json.array(rows) }
    end,
  },

  upload_analysis = {
    description = "Bring the analysis of a document to its place.",
    parameters = { document_id = "integer", topic = "string", summary = "string" },
    action = true,
    allow = BATCH,
    access = { db = "write" },
    unknown = "retry",
    run = function(_, args)
      local change = db.exec(
        "update documents set topic = ?, summary = ? where id = ?", args.topic, args.summary, args.document_id
      )
      if change.changes == 0 then
        error({ code = "not_found", message = "there is no document " .. args.document_id })
      end
    end,
  },
}
