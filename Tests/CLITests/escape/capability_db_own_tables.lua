-- Attack: Reads the tables that the host keeps for itself.
-- Expect: internal

return {
  access = { db = "read" },
  run = function(ctx, input)
    return db.query("select text from _perigee_schemas")[1].text
  end,
}
