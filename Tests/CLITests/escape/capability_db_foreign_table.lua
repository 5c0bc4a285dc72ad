-- Attack: Writes to the table of another file.
-- Expect: internal belongs to

return {
  access = { db = "write" },
  run = function(ctx, input)
    db.exec("delete from ledger")
    return "deleted"
  end,
}
