-- Attack: Writes in a query.
-- Expect: internal only reads

return {
  access = { db = "read" },
  run = function(ctx, input)
    db.query("insert into ledger (text) values ('x') returning id")
    return "wrote"
  end,
}
