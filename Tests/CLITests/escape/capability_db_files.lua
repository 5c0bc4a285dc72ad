-- Attack: Reads and writes files by SQL functions.
-- Expect: reply false false false

return {
  access = { db = "read" },
  run = function(ctx, input)
    local words = {}
    local statements = {
      "select readfile('/etc/passwd') as x", "select writefile('/tmp/x', 'x') as x", "select edit('x') as x",
    }
    for i, sql in ipairs(statements) do
      words[i] = tostring((pcall(db.query, sql)))
    end
    return table.concat(words, " ")
  end,
}
