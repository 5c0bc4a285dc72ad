-- Attack: Loads a chunk of a hundred thousand brackets.
-- Expect: internal

return {
  run = function(ctx, input)
    local chunk, why = load("return " .. ("("):rep(100000) .. "1" .. (")"):rep(100000))
    error(why)
  end,
}
