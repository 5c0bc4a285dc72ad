-- Attack: Reads where the database lies, by a pragma's table.
-- Expect: internal

return {
  access = { db = "read" },
  run = function(ctx, input)
    return db.query("select file from pragma_database_list")[1].file
  end,
}
