-- Attack: Reads wide rows in two hundred branches at once.
-- Expect: limit|timeout

return {
  access = { db = "read" },
  limits = { seconds = 2 },
  run = function(ctx, input)
    local numbers = "with recursive n(i) as (select 1 union all select i + 1 from n limit 9999) "
    local branches = {}
    for i = 1, 200 do
      branches[i] = function() return db.query(numbers .. "select hex(zeroblob(400)) as h, i as x from n") end
    end
    parallel.settle(branches)
  end, -- perigee: ignore P132 because it is the attack
}
