-- Attack: Hides a second statement behind a zero byte.
-- Expect: internal

return {
  access = { db = "read" },
  run = function(ctx, input)
    return #db.query("select 1 as x\0; drop table ledger")
  end,
}
