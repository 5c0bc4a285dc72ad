-- Attack: Compiles malformed patterns for ever.
-- Expect: limit processor time

return {
  run = function(ctx, input)
    while true do
      pcall(string.find, "x", ("[a"):rep(50))
      pcall(string.find, "x", "%")
      pcall(string.find, "x", ("("):rep(50))
    end
  end,
}
