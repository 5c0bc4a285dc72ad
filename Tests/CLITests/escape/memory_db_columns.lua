-- Attack: Reads rows of two thousand columns.
-- Expect: limit

return {
  access = { db = "read" },
  run = function(ctx, input)
    local columns = {}
    for i = 1, 1900 do columns[i] = i .. " as " .. ("c"):rep(200) .. i end
    local numbers = "with recursive n(i) as (select 1 union all select i + 1 from n limit 9999) "
    return #db.query(numbers .. "select " .. table.concat(columns, ",") .. " from n")
  end,
}
