-- Each does its work once for a key, whatever becomes of the server: the table by the key, the webhook by asking it.
---@type table<string, perigee.Tool>
return {
  schema = "create table entries (id integer primary key, operation text not null, key text not null unique)",

  book = {
    description = "Writes an operation into the ledger.",
    parameters = { operation = "string" },
    access = { db = "write" },
    unknown = function(ctx)
      local row = db.query("select id from entries where key = ?", ctx.call.key)[1]
      if row then return "done", { id = row.id } end
      return "retry"
    end,
    run = function(ctx, args)
      local rows = db.exec(
        "insert into entries (operation, key) values (?, ?) returning id", args.operation, ctx.call.key).rows
      return { id = rows[1].id }
    end,
  },

  notify = {
    description = "Tells the webhook of an operation.",
    parameters = { operation = "string" },
    access = { http = { "SERVICE" } },
    unknown = function(ctx)
      local answer = http.get("http://SERVICE/seen", { query = { key = ctx.call.key } })
      if answer.json.seen then return "done", { told = true } end
      return "retry"
    end,
    run = function(ctx, args)
      http.post("http://SERVICE/hook", { json = { key = ctx.call.key, operation = args.operation } })
      return { told = true }
    end,
  },
}
