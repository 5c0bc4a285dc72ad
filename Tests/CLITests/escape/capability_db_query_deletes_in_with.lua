-- Attack: Deletes behind a common table expression.
-- Expect: internal

return {
  access = { db = "read" },
  run = function(ctx, input)
    db.query("with x as (select 1) delete from ledger")
    return "deleted"
  end,
}
