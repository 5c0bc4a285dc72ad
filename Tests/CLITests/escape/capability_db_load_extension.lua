-- Attack: Loads an extension.
-- Expect: internal

return {
  access = { db = "read" },
  run = function(ctx, input)
    return db.query("select load_extension('/tmp/evil.so') as x")[1].x
  end,
}
