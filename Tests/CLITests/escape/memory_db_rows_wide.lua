-- Attack: Reads ten thousand rows of a megabyte each.
-- Expect: limit

return {
  access = { db = "read" },
  run = function(ctx, input)
    local numbers = "with recursive n(i) as (select 1 union all select i + 1 from n limit 9999) "
    return #db.query(numbers .. "select hex(zeroblob(400000)) as h from n")
  end,
}
