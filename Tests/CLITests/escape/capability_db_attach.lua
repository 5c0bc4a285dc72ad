-- Attack: Attaches a file of its choice.
-- Expect: internal

return {
  access = { db = "write" },
  run = function(ctx, input)
    db.exec("attach database '/tmp/perigee-stolen.sqlite' as stolen")
    return "attached"
  end,
}
