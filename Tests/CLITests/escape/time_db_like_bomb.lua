-- Attack: Matches a slow pattern in SQL.
-- Expect: limit|timeout

return {
  access = { db = "read" },
  limits = { seconds = 1 },
  run = function(ctx, input)
    while true do
      pcall(db.query, "select ? like ? as x", ("a"):rep(40000), ("%a"):rep(60) .. "b")
    end
  end,
}
