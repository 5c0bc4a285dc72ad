-- Attack: Loads an expression of fifty thousand operators.
-- Expect: internal

return {
  run = function(ctx, input)
    local _, why = load("return " .. ("1 .. "):rep(50000) .. "1")
    error(why)
  end,
}
