-- Attack: Hides a second statement behind the first.
-- Expect: internal only one statement

return {
  access = { db = "write" },
  run = function(ctx, input)
    db.exec("select 1; drop table ledger")
    return "dropped"
  end,
}
