-- Tickets for the people behind the desk: written down at once, delivered by a worker.

---@type table<string, perigee.Tool>
return {
  schema = [[
    create table if not exists tickets (
      id integer primary key,
      user_id text not null,
      subject text not null,
      created_at text not null,
      delivered_at text,
      call_key text not null unique
    );
  ]],

  open_ticket = {
    description = "Hand a matter over to a person, who answers within a day.",
    parameters = {
      subject = { type = "string", minLength = 1, maxLength = 1000, description = "all that a person has to know" },
    },
    access = { db = "write", queue = true },
    unknown = "retry",
    run = function(ctx, args)
      return db.transaction(function()
        db.exec(
          "insert into tickets (user_id, subject, created_at, call_key) values (?, ?, ?, ?) "
            .. "on conflict (call_key) do nothing",
          ctx.user.id, args.subject, time.format(time.now()), ctx.call.key
        )
        local id = db.query("select id from tickets where call_key = ?", ctx.call.key)[1].id
        queue.publish("deliver_ticket", { ticket_id = id })
        return { ticket_id = id }
      end)
    end,
  },

  deliver_ticket = {
    description = "Bring a ticket to the people behind the desk.",
    parameters = { ticket_id = "integer" },
    action = true,
    access = { db = "write" },
    unknown = "retry",
    run = function(ctx, args)
      db.exec(
        "update tickets set delivered_at = coalesce(delivered_at, ?) where user_id = ? and id = ?",
        time.format(time.now()), ctx.user.id, args.ticket_id
      )
    end,
  },
}
