-- Attack: Rewrites the schema of another file in SQLite's own table.
-- Expect: internal

return {
  access = { db = "write" },
  run = function(ctx, input)
    db.exec("update sqlite_master set sql = 'create table ledger (x)' where name = 'ledger'")
    return "rewrote"
  end,
}
