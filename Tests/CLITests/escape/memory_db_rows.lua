-- Attack: Reads more rows than the memory holds.
-- Expect: limit

return {
  access = { db = "read" },
  run = function(ctx, input)
    local numbers = "with recursive n(i) as (select 1 union all select i + 1 from n limit 10000000) "
    return #db.query(numbers .. "select i, hex(i) as h from n")
  end,
}
