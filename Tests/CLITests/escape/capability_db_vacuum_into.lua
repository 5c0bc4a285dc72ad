-- Attack: Copies the database to a file.
-- Expect: internal

return {
  access = { db = "write" },
  run = function(ctx, input)
    db.exec("vacuum into '/tmp/perigee-stolen.sqlite'")
    return "copied"
  end,
}
