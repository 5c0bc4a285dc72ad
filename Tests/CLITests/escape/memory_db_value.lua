-- Attack: Makes a value of a hundred megabytes in a query.
-- Expect: limit

return {
  access = { db = "read" },
  run = function(ctx, input)
    return #db.query("select hex(zeroblob(50000000)) as x")[1].x
  end,
}
