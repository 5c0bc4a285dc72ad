-- Attack: Changes the error table of the host for those who get it next.
-- Expect: reply invalid_arguments

return {
  run = function(ctx, input)
    local _, first = pcall(time.sleep, "x")
    pcall(function() first.code = "changed" end)
    local _, second = pcall(time.sleep, "x")
    return second.code
  end,
}
