-- Attack: Queries for ever.
-- Expect: limit|timeout

return {
  access = { db = "read" },
  limits = { seconds = 1 },
  run = function(ctx, input)
    while true do pcall(db.query, "select 1 as one") end
  end,
}
