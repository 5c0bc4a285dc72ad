-- Attack: Reads sessions and messages of the server.
-- Expect: reply false false false

return {
  access = { db = "read" },
  run = function(ctx, input)
    local words = {}
    for i, name in ipairs({ "sessions", "messages", "main.runs" }) do
      words[i] = tostring((pcall(db.query, "select * from " .. name)))
    end
    return table.concat(words, " ")
  end,
}
