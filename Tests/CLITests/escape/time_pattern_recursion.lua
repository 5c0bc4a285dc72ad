-- Attack: Matches a pattern of a hundred thousand optional items.
-- Expect: internal

return {
  run = function(ctx, input)
    local ok, why = pcall(string.find, ("a"):rep(1000), ("a?"):rep(100000))
    error(tostring(ok))
  end,
}
