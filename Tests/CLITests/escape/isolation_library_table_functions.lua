-- Attack: Changes libraries with functions of the table library.
-- Expect: reply false false false false

return {
  run = function(ctx, input)
    local words = {}
    local function try(...) words[#words + 1] = tostring((pcall(...))) end
    try(table.insert, string, "x")
    try(table.remove, table)
    try(table.move, { 1, 2 }, 1, 2, 1, math)
    try(table.insert, setmetatable({}, { __newindex = string }), "x")
    return table.concat(words, " ")
  end,
}
