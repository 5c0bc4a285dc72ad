-- Attack: Hands the wrong parameters to a statement.
-- Expect: reply false false false

return {
  access = { db = "read" },
  run = function(ctx, input)
    local words = {}
    words[1] = tostring((pcall(db.query, "select ? as x, ? as y", 1)))
    words[2] = tostring((pcall(db.query, "select ? as x", {})))
    words[3] = tostring((pcall(db.query, "select ? as x", function() end)))
    return table.concat(words, " ")
  end,
}
