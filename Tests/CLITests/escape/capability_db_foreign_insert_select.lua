-- Attack: Writes to the table of another file from a subquery.
-- Expect: internal belongs to

return {
  access = { db = "write" },
  run = function(ctx, input)
    db.exec("insert into \"LEDGER\" (text) select text from ledger")
    return "wrote"
  end,
}
