-- Attack: Loads a chunk of tables in tables.
-- Expect: internal

return {
  run = function(ctx, input)
    local _, why = load("return " .. ("{"):rep(100000))
    error(why)
  end,
}
