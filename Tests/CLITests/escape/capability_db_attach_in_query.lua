-- Attack: Attaches the server's own database.
-- Expect: internal

return {
  access = { db = "read" },
  run = function(ctx, input)
    db.query("attach database 'perigee.sqlite' as server")
    return "attached"
  end,
}
