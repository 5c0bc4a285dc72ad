-- Attack: Turns the safety of the database off.
-- Expect: reply false false false false

return {
  access = { db = "write" },
  run = function(ctx, input)
    local words = {}
    local statements = {
      "pragma synchronous = off", "pragma writable_schema = on", "pragma journal_mode = delete",
      "pragma foreign_keys = off",
    }
    for i, sql in ipairs(statements) do
      words[i] = tostring((pcall(db.exec, sql)))
    end
    return table.concat(words, " ")
  end,
}
