-- Attack: Runs a query without end.
-- Expect: timeout

return {
  access = { db = "read" },
  limits = { seconds = 1 },
  run = function(ctx, input)
    db.query("with recursive n(i) as (select 1 union all select i + 1 from n) select count(*) as c from n")
  end, -- perigee: ignore P132 because it is the attack
}
