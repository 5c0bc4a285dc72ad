-- Attack: Reads the metatables of ctx and all in it.
-- Expect: reply false false false false false

return {
  run = function(ctx, input)
    local words = {}
    for i, t in ipairs({ ctx, ctx.user, ctx.session, ctx.run, ctx.input }) do
      words[i] = tostring(getmetatable(t))
    end
    return table.concat(words, " ")
  end,
}
