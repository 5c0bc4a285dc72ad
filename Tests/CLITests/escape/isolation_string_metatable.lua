-- Attack: Reads the metatable of strings.
-- Expect: reply false

return {
  run = function(ctx, input)
    return tostring(getmetatable(""))
  end,
}
