-- Attack: Creates tables outside of a schema.
-- Expect: reply false false false false

return {
  access = { db = "write" },
  run = function(ctx, input)
    local words = {}
    local statements = {
      "create table mine (x)", "create temp table mine (x)", "create virtual table mine using fts5 (x)",
      "create trigger t after insert on ledger begin select 1; end",
    }
    for i, sql in ipairs(statements) do
      words[i] = tostring((pcall(db.exec, sql)))
    end
    return table.concat(words, " ")
  end,
}
