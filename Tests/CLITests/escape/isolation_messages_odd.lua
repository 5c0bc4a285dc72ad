-- Attack: Asks for odd numbers of messages.
-- Expect: reply false false false

return {
  run = function(ctx, input)
    local words = {}
    for i, n in ipairs({ 0.5, 0 / 0, math.huge }) do words[i] = tostring((pcall(ctx.session.messages, n))) end
    return table.concat(words, " ")
  end,
}
