-- Attack: Runs queries without end in two hundred branches, so that no connection is left.
-- Expect: limit|timeout

return {
  access = { db = "read" },
  limits = { seconds = 1 },
  run = function(ctx, input)
    local endless = "with recursive n(i) as (select 1 union all select i + 1 from n) select count(*) from n"
    local branches = {}
    for i = 1, 200 do branches[i] = function() return db.query(endless) end end
    parallel.settle(branches)
  end, -- perigee: ignore P132 because it is the attack
}
