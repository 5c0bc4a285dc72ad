-- Attack: Looks for the table behind a read-only one.
-- Expect: reply nil nil nil

return {
  run = function(ctx, input)
    local words = { tostring(ctx.__target), tostring(rawget(string, "__target")), tostring(ctx.user.__index) } -- perigee: ignore P155 because it is the attack
    return table.concat(words, " ")
  end,
}
